using System.Globalization;

namespace NamedFiles;

/// <summary>A SQLite file and what SQLite makes beside it, under their names.</summary>
internal static class DatabaseFile
{
    private static readonly string[] Companions = ["-wal", "-shm", "-journal"];

    /// <summary>
    /// Makes it when it is missing, so that no moment passes in which others could read it, and takes it and its companions
    /// from others. SQLite gives the companions that it makes the rights of the file.
    /// </summary>
    public static void MakePrivate(string path)
    {
        PrivateFiles.MakeFile(path);
        foreach (var companion in Companions)
        {
            PrivateFiles.Close(path + companion);
        }
    }

    /// <summary>Moves a damaged one out of the way, with its companions, and gives its new name. No process may be at it.</summary>
    /// <exception cref="IOException">It cannot be moved.</exception>
    /// <exception cref="UnauthorizedAccessException"><inheritdoc cref="IOException"/></exception>
    public static string Quarantine(string path, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = $"{path}.damaged-{stamp}";
        for (var n = 2; File.Exists(aside); n++)
        {
            aside = $"{path}.damaged-{stamp}-{n}";
        }
        // The file itself goes last: a new one must never find what belonged to it.
        foreach (var part in Companions.Append("").Where(part => File.Exists(path + part)))
        {
            File.Move(path + part, aside + part, overwrite: true);
        }
        return aside;
    }
}
