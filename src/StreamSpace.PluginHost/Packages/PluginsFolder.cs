namespace StreamSpace.PluginHost.Packages;

/// <summary>
/// What lies in the plugins folder beside the plugins while one comes, goes or is exchanged, so that moving is renaming. A
/// dot keeps it from being taken for a plugin.
/// </summary>
internal static class PluginsFolder
{
    private const string Incoming = ".incoming-";
    private const string Removed = ".removed-";
    private const string Before = ".before-";

    /// <summary>A new path for what is being unpacked.</summary>
    public static string NewIncoming(string folder) => Path.Combine(folder, $"{Incoming}{Guid.NewGuid():N}");

    /// <summary>A new path for a plugin that is to be deleted.</summary>
    public static string NewRemoved(string folder) => Path.Combine(folder, $"{Removed}{Guid.NewGuid():N}");

    /// <summary>Where the version before lies until the new one is loaded.</summary>
    public static string BeforeOf(string plugin) =>
        Path.Combine(Path.GetDirectoryName(plugin)!, $"{Before}{Path.GetFileName(plugin)}");

    /// <summary>Deletes a folder; somebody may have done that already.</summary>
    public static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Renames a folder; somebody may have removed it.</summary>
    public static void Move(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
    }

    /// <summary>Puts right what a crash in the middle of an installation, or of its opposite, has left.</summary>
    public static void Recover(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        foreach (var before in Directory.EnumerateDirectories(folder, $"{Before}*").ToList())
        {
            var plugin = Path.Combine(folder, Path.GetFileName(before)[Before.Length..]);
            if (Directory.Exists(plugin))
            {
                Directory.Delete(before, recursive: true);
            }
            else
            {
                Directory.Move(before, plugin);
            }
        }
        foreach (var left in (string[])[Incoming, Removed])
        {
            foreach (var leftover in Directory.EnumerateDirectories(folder, $"{left}*").ToList())
            {
                Directory.Delete(leftover, recursive: true);
            }
        }
    }
}
