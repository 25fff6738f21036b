using System.Runtime.InteropServices;
using System.Text;

namespace NamedFiles;

/// <summary>A file that is open is no longer the one under its name.</summary>
/// <param name="Sentence">What happened, with the file's name and without its folder.</param>
/// <param name="IsNameFree">Whether nothing lies there now, so that it can be put back in nobody's way.</param>
internal sealed record LostFile(string Sentence, bool IsNameFree);

/// <summary>
/// Whether an open database still lies under its name, with its log beside it. What is written to files that were
/// removed, renamed or replaced goes through, and is gone with the process. On Linux files are told apart by device and
/// inode, elsewhere it is only seen that they are there. Belongs to one thread at a time.
/// </summary>
internal sealed class FileWatch(string database, params string[] companions)
{
    private List<Watched> _files = [];

    /// <summary>Remembers what lies there, once the database has been opened and read: its log exists then, too.</summary>
    public void Begin()
    {
        _files = [];
        foreach (var path in companions.Prepend("").Select(companion => database + companion))
        {
            var name = Encoding.UTF8.GetBytes(path + '\0');
            if (Look(path, name) is { } seen)
            {
                _files.Add(new Watched(path, name) { Last = seen });
            }
        }
    }

    /// <summary>
    /// The first file that is lost, or null. One that is shorter than it was is lost, too, unless we have
    /// <paramref name="written"/> since: a log begins anew, and a database gives back room.
    /// </summary>
    public LostFile? Lost(bool written)
    {
        LostFile? lost = null;
        foreach (var file in _files)
        {
            var name = Path.GetFileName(file.Path);
            if (Look(file.Path, file.Name) is not { } seen)
            {
                lost ??= new LostFile($"{name} was removed or renamed while it was in use.", IsNameFree: true);
            }
            else if (seen.Inode != file.Last.Inode || seen.Device != file.Last.Device)
            {
                // Said before all else: a name that is taken stands in the way of the others.
                return new LostFile(
                    $"{name} was replaced by another file while it was in use: take that one away, or restart this "
                        + "process to go on with it and without what was kept.",
                    IsNameFree: false
                );
            }
            else if (seen.Bytes < file.Last.Bytes && !written)
            {
                return new LostFile(
                    $"{name} was cut short while it was in use: restart this process to go on with what is left.",
                    IsNameFree: false
                );
            }
            else
            {
                file.Last = seen;
            }
        }
        return lost;
    }

    /// <summary>
    /// Puts a file under the name that <paramref name="write"/> has written to the path it is given: all of it, or the name
    /// stays as it was. Nothing that belonged to the lost one stays beside it.
    /// </summary>
    /// <exception cref="IOException">The disk could not.</exception>
    public void PutBack(Action<string> write)
    {
        var copy = $"{database}.copy";
        File.Delete(copy);
        var forOwner = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            forOwner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        try
        {
            new FileStream(copy, forOwner).Dispose();
            write(copy);
            using var written = new FileStream(copy, FileMode.Open, FileAccess.Write);
            written.Flush(flushToDisk: true);
        }
        catch
        {
            // Half of it is of no use, and takes room that may be what was lacking.
            File.Delete(copy);
            throw;
        }
        foreach (var companion in (string[])["-wal", "-shm", "-journal"])
        {
            File.Delete(database + companion);
        }
        File.Move(copy, database, overwrite: true);
    }

    private static Identity? Look(string path, byte[] name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new FileInfo(path) is { Exists: true } file ? new Identity(0, 0, (ulong)file.Length) : null;
        }
        const int currentFolder = -100;
        const uint inodeAndSize = 0x100 | 0x200;
        return Statx(currentFolder, name, 0, inodeAndSize, out var found) == 0
            ? new Identity(((ulong)found.Major << 32) | found.Minor, found.Inode, found.Bytes)
            : null;
    }

    // statx(2): its layout is the same on every architecture.
    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, byte[] path, int flags, uint mask, out Found found);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct Found
    {
        [FieldOffset(0x20)]
        public readonly ulong Inode;

        [FieldOffset(0x28)]
        public readonly ulong Bytes;

        [FieldOffset(0x88)]
        public readonly uint Major;

        [FieldOffset(0x8c)]
        public readonly uint Minor;
    }

    private readonly record struct Identity(ulong Device, ulong Inode, ulong Bytes);

    private sealed record Watched(string Path, byte[] Name)
    {
        public Identity Last { get; set; }
    }
}
