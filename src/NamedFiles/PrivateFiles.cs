namespace NamedFiles;

/// <summary>Files and folders that nobody but their owner can read.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileModes = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a folder when it is missing; one that exists keeps the mode its operator gave it.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, FolderMode);
        }
    }

    /// <summary>
    /// Makes an empty file when it is missing. One that exists is not opened: to close it again would let go of the locks
    /// that SQLite may have on it in this process (sqlite.org/howtocorrupt.html, 2.2).
    /// </summary>
    public static void MakeFile(string path)
    {
        if (!File.Exists(path))
        {
            Open(path, FileMode.CreateNew).Dispose();
        }
        Close(path);
    }

    /// <summary>Takes from others what a backup or a careless hand has given them.</summary>
    public static void Close(string path)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path) && File.GetUnixFileMode(path) != FileModes)
        {
            File.SetUnixFileMode(path, FileModes);
        }
    }

    /// <summary>Opens a file for this process alone.</summary>
    public static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = FileModes;
        }
        return new FileStream(path, options);
    }
}
