namespace StreamSpace.PluginHost;

/// <summary>
/// The folder that keeps everything. One process works on it at a time; only its owner can look into it.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>Makes the folder when it is missing, and returns its absolute path.</summary>
    /// <exception cref="StartFault">It cannot be made or written.</exception>
    public static string Make(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            OwnerOnly.MakeFolder(full);
            var probe = System.IO.Path.Combine(full, ".probe");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartFault(
                $"The data folder {full} cannot be written ({Reason(e)}): make it writable for this user, or name another with --data.",
                e
            );
        }
    }

    /// <summary>
    /// Makes the folder and takes its lock. Another process on it is waited for, ten seconds long, and the wait is
    /// announced: it may be on its way out.
    /// </summary>
    /// <exception cref="StartFault">The folder cannot be written, or the other process stays.</exception>
    public static async Task<DataFolder> TakeAsync(
        string path,
        Narrator narrator,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var full = Make(path);
        var file = System.IO.Path.Combine(full, "lock");
        var begin = clock.GetTimestamp();
        for (var announced = false; ; announced = true)
        {
            if (TryLock(file) is { } held)
            {
                return new DataFolder(full, held);
            }
            if (!announced)
            {
                narrator.Say($"Another process works on {full}; waiting up to 10 seconds for it to end.");
            }
            if (clock.GetElapsedTime(begin) >= Patience)
            {
                throw new StartFault(
                    $"The data folder {full} is in use by another process: stop that one, or name another folder with --data."
                );
            }
            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    /// <summary>An existing folder below this one that only its owner can look into.</summary>
    public string Folder(params string[] names)
    {
        var path = System.IO.Path.Combine([Path, .. names]);
        OwnerOnly.MakeFolder(path);
        return path;
    }

    public void Dispose() => _lock.Dispose();

    // The system lets go of the lock when a process dies, however it dies; the file may stay.
    private static FileStream? TryLock(string file)
    {
        try
        {
            return OwnerOnly.Open(file, FileMode.OpenOrCreate);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            return null;
        }
    }

    private static string Reason(Exception e) =>
        e is UnauthorizedAccessException ? "access denied" : e.Message.TrimEnd('.');
}
