namespace StreamSpace.PluginHost.Plugins;

/// <summary>The plugins of this process, one per folder with a manifest in the plugins folder, in the order of their names.</summary>
internal sealed class PluginSet(TimeProvider clock) : IAsyncDisposable
{
    /// <summary>How long a plugin may send what it can when it is unloaded.</summary>
    public static readonly TimeSpan UnloadTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookWhenNobodyMinds = TimeSpan.FromSeconds(60);

    private volatile IReadOnlyList<PluginSlot> _plugins = [];

    /// <summary>Raised when plugins or their copies may have come or gone.</summary>
    public event Action Changed = () => { };

    public IReadOnlyList<PluginSlot> All => _plugins;

    /// <summary>How often sources are to look anew: as the most eager plugin wishes.</summary>
    public TimeSpan LookEvery => All.Select(p => p.LookEvery).Min() ?? LookWhenNobodyMinds;

    /// <summary>The plugin of this name or route, or null.</summary>
    public PluginSlot? Find(string name) =>
        All.FirstOrDefault(p => p.Name == name) ?? All.FirstOrDefault(p => p.Manifest?.Route == name);

    /// <summary>Looks what there is. Reads manifests, and runs nothing yet.</summary>
    public void FindAll(HostServices host)
    {
        // Somebody's copy of a folder, under another name, must not take the plugin's place.
        var folders = Folders(host.Settings.PluginsFolder).OrderBy(f => !PluginFolder.IsNamedAsItsPlugin(f));
        foreach (var folder in folders.ToList())
        {
            Add(folder, host);
        }
    }

    /// <summary>Takes up one more folder: reads its manifest, and runs nothing yet.</summary>
    public PluginSlot Add(string folder, HostServices host)
    {
        var plugin = new PluginSlot(folder, host);
        plugin.Find(route => IsTaken(route, plugin));
        _plugins = [.. _plugins.Append(plugin).OrderBy(p => p.Name, StringComparer.Ordinal)];
        return plugin;
    }

    /// <summary>Whether another plugin than this one has the route.</summary>
    public bool IsTaken(string route, PluginSlot but) => _plugins.Any(p => p != but && p.Manifest?.Route == route);

    /// <summary>Forgets a plugin that has been unloaded.</summary>
    public void Remove(PluginSlot plugin)
    {
        _plugins = [.. _plugins.Where(p => p != plugin)];
        plugin.Dispose();
    }

    /// <summary>Raises <see cref="Changed"/>.</summary>
    public void NotifyChanged() => Changed();

    /// <summary>Unloads all at once, so that a slow one takes no other's time.</summary>
    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(UnloadTimeout, clock);
        await Task.WhenAll(All.Select(p => p.UnloadAsync(deadline.Token)));
        foreach (var plugin in All)
        {
            plugin.Dispose();
        }
    }

    /// <summary>The folders that hold a plugin each.</summary>
    public static IEnumerable<string> Folders(string path) =>
        Directory.Exists(path)
            ? Directory
                .EnumerateDirectories(Path.GetFullPath(path))
                .Where(f => !Path.GetFileName(f).StartsWith('.') && PluginFolder.IsPlugin(f))
                .Order(StringComparer.Ordinal)
            : [];
}
