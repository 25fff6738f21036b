using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>What lies in a plugin's folder: a manifest, and the assembly that it names.</summary>
internal static class PluginFolder
{
    private const string Manifest = "manifest.json";
    private const int LongestManifest = 1_000_000;

    // A plugin's data lies under its name beside these, its endpoints under its route beside the catalogue's.
    private static readonly string[] OurOwn = ["keys", "logs", "lock", "token-key", "signed-out", "catalog"];

    /// <summary>True for a folder with a manifest: any other, such as a file system's <c>lost+found</c>, is no plugin.</summary>
    public static bool IsPlugin(string folder) => File.Exists(Path.Combine(folder, Manifest));

    /// <exception cref="FormatException">There is no manifest that can be used; the message says why.</exception>
    public static PluginManifest ReadManifest(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, Manifest));
        if (!file.Exists || file.Length > LongestManifest)
        {
            throw new FormatException(
                file.Exists ? "its manifest.json is larger than 1 MB." : "its folder has no manifest.json."
            );
        }
        var manifest = PluginManifest.Parse(File.ReadAllText(file.FullName));
        if (IsOurOwn(manifest.Name) || IsOurOwn(manifest.Route))
        {
            throw new FormatException($"no plugin may be named {manifest.Name}: the host uses that word itself.");
        }
        return File.Exists(Path.Combine(folder, manifest.EntryPoint))
            ? manifest
            : throw new FormatException($"its entry point {manifest.EntryPoint} is missing.");
    }

    /// <summary>True for a word that the host uses itself, in its data folder or its paths.</summary>
    public static bool IsOurOwn(string name) => OurOwn.Contains(name);

    /// <summary>True for a folder that is named as the plugin in it, as installing does.</summary>
    public static bool IsNamedAsItsPlugin(string folder)
    {
        try
        {
            return ReadManifest(folder).Name == Path.GetFileName(folder);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Makes the one plugin of the entry assembly.</summary>
    public static IPlugin MakePlugin(PluginLoadContext context, PluginManifest manifest)
    {
        var found = context
            .LoadEntry()
            .GetExportedTypes()
            .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IPlugin)))
            .ToList();
        return found is [var type]
            ? (IPlugin)Activator.CreateInstance(type)!
            : throw new InvalidOperationException(
                $"{manifest.EntryPoint} must have exactly one public class that implements IPlugin, and has {found.Count}."
            );
    }
}
