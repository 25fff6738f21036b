using System.Text;
using NamedFiles;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Data;

/// <summary>
/// The folder that keeps everything. One process works on it at a time; only its owner can look into it.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private const string AddressFile = "address";

    // As they were last seen: keys that are lost with the folder are lost for good, and what they open with them.
    private readonly Dictionary<string, byte[]> _secrets = [];

    private readonly FileWatch _watch;
    private readonly Lock _watching = new();
    private FileStream _lock;

    private DataFolder(string path, FileStream held)
    {
        (Path, _lock) = (path, held);
        _watch = new FileWatch(LockFile);
        _watch.Begin();
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>Makes the folder when it is missing, and returns its absolute path.</summary>
    /// <exception cref="StartupException">It cannot be made or written.</exception>
    private static string Make(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        Try(full, () => PrivateFiles.MakeFolder(full));
        Probe(full);
        return full;
    }

    /// <summary>Looks whether the folder can be written, or made where it is missing. Nothing of that stays.</summary>
    /// <exception cref="StartupException">It cannot be made or written.</exception>
    public static void Probe(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var nearest = full;
        while (!System.IO.Path.Exists(nearest))
        {
            nearest = System.IO.Path.GetDirectoryName(nearest)!;
        }
        Try(
            full,
            () =>
            {
                var probe = System.IO.Path.Combine(nearest, $".probe-{Guid.NewGuid():N}");
                File.WriteAllBytes(probe, []);
                File.Delete(probe);
            }
        );
    }

    /// <summary>
    /// Makes the folder and takes its lock. Another process on it is waited for, ten seconds long, and the wait is
    /// announced: it may be on its way out.
    /// </summary>
    /// <exception cref="StartupException">The folder cannot be written, or the other process stays.</exception>
    public static async Task<DataFolder> TakeAsync(
        string path,
        StartupConsole console,
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
                // Of a process that was killed.
                File.Delete(System.IO.Path.Combine(full, AddressFile));
                return new DataFolder(full, held);
            }
            if (!announced)
            {
                console.Say($"Another process works on {full}; waiting up to 10 seconds for it to end.");
            }
            if (clock.GetElapsedTime(begin) >= LockTimeout)
            {
                throw new StartupException(
                    $"The data folder {full} is in use by another process: stop that one, or name another folder with --data."
                );
            }
            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    /// <summary>Where the host serves that runs on a folder now.</summary>
    /// <exception cref="StartupException">None runs on it, it is still starting, or this user may not see it.</exception>
    public static Uri AddressOf(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            if (!IsHeld(System.IO.Path.Combine(full, "lock")))
            {
                throw new StartupException(
                    $"No host runs on {full}: start one, or name the data folder of the one that runs with --data."
                );
            }
            return new Uri(File.ReadAllText(System.IO.Path.Combine(full, AddressFile)));
        }
        catch (Exception e) when (e is FileNotFoundException or UriFormatException)
        {
            throw new StartupException($"The host on {full} is still starting: ask again in a moment.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException($"{full} cannot be read: ask as the user that the host runs as.", e);
        }
    }

    /// <summary>Says where this process serves, for commands that ask it something, until it ends.</summary>
    public void Serve(Uri address)
    {
        using var stream = PrivateFiles.Open(System.IO.Path.Combine(Path, AddressFile), FileMode.Create);
        stream.Write(Encoding.UTF8.GetBytes(address.ToString()));
    }

    /// <summary>An existing folder below this one that only its owner can look into.</summary>
    public string Folder(params string[] names)
    {
        var path = System.IO.Path.Combine([Path, .. names]);
        PrivateFiles.MakeFolder(path);
        return path;
    }

    /// <summary>Why this process may not write here now, for another has taken the lock under its name; or null.</summary>
    public string? Taken()
    {
        lock (_watching)
        {
            return _watch.Lost(written: false) is { IsNameFree: false }
                ? "Another process works on the data folder, for its lock was removed while it was in use: stop one of the two."
                : null;
        }
    }

    /// <summary>
    /// Makes the folder and its lock anew where somebody has removed them from under this process, and what is secret in it
    /// with the folder; says so in a sentence, or returns null when all was there.
    /// </summary>
    /// <exception cref="IOException">It cannot be made anew.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made anew.</exception>
    public string? Stand()
    {
        lock (_watching)
        {
            if (_watch.Lost(written: false) is not { IsNameFree: true })
            {
                Remember();
                return null;
            }
            var whole = !Directory.Exists(Path);
            PrivateFiles.MakeFolder(Path);
            if (TryLock(LockFile) is not { } held)
            {
                return null;
            }
            _lock.Dispose();
            _lock = held;
            _watch.Begin();
            return whole ? Restore() : "The lock of the data folder was removed while it was in use, and is made anew.";
        }
    }

    public void Dispose() => _lock.Dispose();

    private string LockFile => System.IO.Path.Combine(Path, "lock");

    private string Restore()
    {
        foreach (var (file, bytes) in _secrets)
        {
            PrivateFiles.MakeFolder(System.IO.Path.GetDirectoryName(file)!);
            using var stream = PrivateFiles.Open(file, FileMode.Create);
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        return "The data folder was removed while it was in use, and is made anew.";
    }

    private void Remember()
    {
        var keys = System.IO.Path.Combine(Path, "keys");
        IEnumerable<string> files = Directory.Exists(keys) ? Directory.GetFiles(keys) : [];
        var ours = ((string[])["token-key", "signed-out", AddressFile]).Select(name =>
            System.IO.Path.Combine(Path, name)
        );
        foreach (var file in files.Concat(ours).Where(File.Exists))
        {
            _secrets[file] = File.ReadAllBytes(file);
        }
    }

    // The system lets go of the lock when a process dies, however it dies; the file may stay.
    private static FileStream? TryLock(string file)
    {
        try
        {
            return PrivateFiles.Open(file, FileMode.OpenOrCreate);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            return null;
        }
    }

    // The address alone would be believed of a process that was killed, and whoever has its port now be told a token.
    private static bool IsHeld(string file)
    {
        try
        {
            using var free = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException e)
        {
            return e is not (DirectoryNotFoundException or FileNotFoundException);
        }
    }

    private static void Try(string folder, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = e is UnauthorizedAccessException ? "access denied" : e.Message.TrimEnd('.');
            throw new StartupException(
                $"The data folder {folder} cannot be written ({reason}): make it writable for this user, or name another with --data.",
                e
            );
        }
    }
}
