namespace StreamSpace.PluginHost.Plugins;

/// <summary>The plugins of this process, one per folder in the plugins folder, in the order of their names.</summary>
internal sealed class PluginSet : IDisposable
{
    private static readonly TimeSpan LookWhenNobodyMinds = TimeSpan.FromSeconds(60);

    private volatile IReadOnlyList<HostedPlugin> _plugins = [];

    public IReadOnlyList<HostedPlugin> All => _plugins;

    /// <summary>How often sources are to look anew: as the most eager plugin wishes.</summary>
    public TimeSpan LookEvery => All.Select(p => p.LookEvery).Min() ?? LookWhenNobodyMinds;

    /// <summary>Looks what there is. Reads manifests, and runs nothing yet.</summary>
    public void Find(HostServices host)
    {
        // Somebody's copy of a folder, under another name, must not take the plugin's place.
        var folders = Folders(host.Settings.PluginsFolder).OrderBy(f => !PluginFolder.IsNamedAsItsPlugin(f));
        foreach (var folder in folders.ToList())
        {
            Add(folder, host);
        }
    }

    /// <summary>Takes up one more folder: reads its manifest, and runs nothing yet.</summary>
    public HostedPlugin Add(string folder, HostServices host)
    {
        var plugin = new HostedPlugin(folder, host);
        plugin.Find(route => IsTaken(route, plugin));
        _plugins = [.. _plugins.Append(plugin).OrderBy(p => p.Name, StringComparer.Ordinal)];
        return plugin;
    }

    /// <summary>Whether another plugin than this one has the route.</summary>
    public bool IsTaken(string route, HostedPlugin but) => _plugins.Any(p => p != but && p.Manifest?.Route == route);

    /// <summary>Forgets a plugin that has been let go of.</summary>
    public void Remove(HostedPlugin plugin)
    {
        _plugins = [.. _plugins.Where(p => p != plugin)];
        plugin.Dispose();
    }

    /// <summary>Unloads all at once, so that a slow one takes no other's time.</summary>
    public Task UnloadAsync(CancellationToken deadline) => Task.WhenAll(All.Select(p => p.UnloadAsync(deadline)));

    public void Dispose()
    {
        foreach (var plugin in All)
        {
            plugin.Dispose();
        }
    }

    /// <summary>The folders that may hold a plugin each.</summary>
    public static IEnumerable<string> Folders(string path) =>
        Directory.Exists(path)
            ? Directory
                .EnumerateDirectories(Path.GetFullPath(path))
                .Where(f => !Path.GetFileName(f).StartsWith('.'))
                .Order(StringComparer.Ordinal)
            : [];
}
