namespace StreamSpace.PluginHost;

/// <summary>
/// Installs, switches and uninstalls plugins while everything else goes on. One at a time.
/// </summary>
internal sealed class InstalledPlugins(PluginSet plugins, Attachment attachment) : IDisposable
{
    private static readonly TimeSpan UnloadDeadline = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Called when endpoints may have come or gone. Set once, before the first request.</summary>
    public Action Serve { get; set; } = () => { };

    public IReadOnlyList<HostedPlugin> All => plugins.All;

    /// <summary>The plugin of this name or route, or null.</summary>
    public HostedPlugin? Find(string name) =>
        All.FirstOrDefault(p => p.Name == name) ?? All.FirstOrDefault(p => p.Manifest?.Route == name);

    /// <summary>
    /// Loads the plugin and lets it hear, or lets it go; survives a restart. One that is so already stays untouched, but
    /// for one that failed, which is tried again.
    /// </summary>
    public async Task SetAsync(HostedPlugin plugin, bool on, TimeProvider clock, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var isOn = plugin.State is PluginState.Running or PluginState.Unconfigured;
            if (on && !isOn && plugin.State is not PluginState.Isolated)
            {
                await plugin.SwitchOnAsync(cancellationToken);
            }
            else if (!on && plugin.State is not PluginState.Disabled)
            {
                using var deadline = new CancellationTokenSource(UnloadDeadline, clock);
                await plugin.SwitchOffAsync(deadline.Token);
            }
            Serve();
            await attachment.SettleAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Installs what an archive holds, or updates to it: config, switch and data folder stay. A package that is refused
    /// changes nothing.
    /// </summary>
    /// <exception cref="PackageException">It is not the plugin that the catalogue names.</exception>
    public async Task<HostedPlugin> InstallAsync(
        CatalogEntry entry,
        byte[] archive,
        PluginSurroundings surroundings,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        var folder = surroundings.Settings.PluginsFolder;
        // Beside the plugins, so that moving is renaming; a dot keeps it from being taken for one.
        var incoming = Path.Combine(folder, $".incoming-{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(folder);
            await PluginPackage.UnpackAsync(archive, incoming, cancellationToken);
            var root = Root(incoming);
            Verify(root, entry);
            if (All.FirstOrDefault(p => p.Name == entry.Name) is { } before)
            {
                using var deadline = new CancellationTokenSource(UnloadDeadline, surroundings.Clock);
                await before.StopAsync(deadline.Token);
                await attachment.SettleAsync(cancellationToken);
                plugins.Remove(before);
            }
            Replace(Path.Combine(folder, entry.Name), root);
            var plugin = plugins.Add(Path.Combine(folder, entry.Name), surroundings);
            await plugin.LoadAsync(cancellationToken);
            Serve();
            await attachment.SettleAsync(cancellationToken);
            return plugin;
        }
        finally
        {
            if (Directory.Exists(incoming))
            {
                Directory.Delete(incoming, recursive: true);
            }
            _turn.Release();
        }
    }

    /// <summary>Lets a plugin go and removes its folder, its data folder and its config.</summary>
    public async Task UninstallAsync(
        HostedPlugin plugin,
        PluginSurroundings surroundings,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            using var deadline = new CancellationTokenSource(UnloadDeadline, surroundings.Clock);
            await plugin.StopAsync(deadline.Token);
            plugins.Remove(plugin);
            Serve();
            await attachment.SettleAsync(cancellationToken);
            surroundings.Store.Forget(plugin.Name);
            Directory.Delete(plugin.Folder, recursive: true);
            var data = surroundings.Data.Folder(plugin.Name);
            Directory.Delete(data, recursive: true);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    // Flat, or with one folder around it.
    private static string Root(string unpacked) =>
        !File.Exists(Path.Combine(unpacked, "manifest.json"))
        && Directory.GetFileSystemEntries(unpacked) is [var only]
        && Directory.Exists(only)
            ? only
            : unpacked;

    private static void Verify(string root, CatalogEntry entry)
    {
        try
        {
            var manifest = PluginFolder.ReadManifest(root);
            if (manifest.Name != entry.Name || manifest.Version != entry.Version)
            {
                throw new PackageException(
                    $"It holds {manifest.Name} {manifest.Version}, not {entry.Name} {entry.Version} as the catalogue says."
                );
            }
        }
        catch (FormatException e)
        {
            throw new PackageException(e.Message, e);
        }
    }

    private static void Replace(string target, string root)
    {
        var aside = Path.Combine(Path.GetDirectoryName(target)!, $".replaced-{Guid.NewGuid():N}");
        var existed = Directory.Exists(target);
        if (existed)
        {
            Directory.Move(target, aside);
        }
        try
        {
            Directory.Move(root, target);
        }
        catch (IOException) when (existed)
        {
            Directory.Move(aside, target);
            throw;
        }
        if (existed)
        {
            Directory.Delete(aside, recursive: true);
        }
    }
}
