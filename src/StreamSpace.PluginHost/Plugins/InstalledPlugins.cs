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
            await SettleAsync(plugin, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Lets a plugin go and loads what lies in its folder now, also one that was isolated.</summary>
    public async Task ReloadAsync(HostedPlugin plugin, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await ExchangeAsync(plugin, () => { }, cancellationToken);
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
                await UpdateAsync(before, root, entry, cancellationToken);
                return before;
            }
            return await AddAsync(root, Path.Combine(folder, entry.Name), surroundings, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PackageException($"It could not be laid into {folder}: {e.Message}", e);
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
            await SettleAsync(plugin, cancellationToken);
            plugins.Remove(plugin);
            Serve();
            surroundings.Store.Forget(plugin.Name);
            Directory.Delete(plugin.Folder, recursive: true);
            var data = surroundings.Data.Folder(plugin.Name);
            Directory.Delete(data, recursive: true);
            plugin.RemoveLogs();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Puts right what a crash in the middle of an installation has left.</summary>
    public static void Recover(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        foreach (var aside in Directory.EnumerateDirectories(folder, ".before-*").ToList())
        {
            var plugin = Path.Combine(folder, Path.GetFileName(aside)[".before-".Length..]);
            if (Directory.Exists(plugin))
            {
                Directory.Delete(aside, recursive: true);
            }
            else
            {
                Directory.Move(aside, plugin);
            }
        }
        foreach (var incoming in Directory.EnumerateDirectories(folder, ".incoming-*").ToList())
        {
            Directory.Delete(incoming, recursive: true);
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

    private async Task<HostedPlugin> AddAsync(
        string root,
        string folder,
        PluginSurroundings surroundings,
        CancellationToken cancellationToken
    )
    {
        Directory.Move(root, folder);
        var plugin = plugins.Add(folder, surroundings);
        await plugin.LoadAsync(cancellationToken);
        if (plugin.State is PluginState.Failed or PluginState.Isolated)
        {
            plugins.Remove(plugin);
            Directory.Delete(folder, recursive: true);
            throw new PackageException($"It is {plugin.Detail}");
        }
        await SettleAsync(plugin, cancellationToken);
        return plugin;
    }

    // The version before comes back when the new one cannot be loaded.
    private async Task UpdateAsync(
        HostedPlugin plugin,
        string root,
        CatalogEntry entry,
        CancellationToken cancellationToken
    )
    {
        var before = plugin.Manifest?.Version;
        var aside = Aside(plugin.Folder);
        await ExchangeAsync(
            plugin,
            () =>
            {
                Directory.Move(plugin.Folder, aside);
                try
                {
                    Directory.Move(root, plugin.Folder);
                }
                catch (IOException)
                {
                    Directory.Move(aside, plugin.Folder);
                    throw;
                }
            },
            cancellationToken
        );
        if (plugin.State is PluginState.Failed or PluginState.Isolated)
        {
            var why = plugin.Detail;
            await ExchangeAsync(
                plugin,
                () =>
                {
                    Directory.Delete(plugin.Folder, recursive: true);
                    Directory.Move(aside, plugin.Folder);
                },
                cancellationToken
            );
            throw new PackageException($"Version {entry.Version} is {why} Version {before} is back.");
        }
        Directory.Delete(aside, recursive: true);
    }

    private async Task ExchangeAsync(HostedPlugin plugin, Action swap, CancellationToken cancellationToken)
    {
        try
        {
            await plugin.ExchangeAsync(
                swap,
                route => plugins.IsTaken(route, plugin),
                UnloadDeadline,
                cancellationToken
            );
        }
        finally
        {
            await SettleAsync(plugin, cancellationToken);
        }
    }

    // The endpoints first: they hold the copy that was let go of.
    private async Task SettleAsync(HostedPlugin plugin, CancellationToken cancellationToken)
    {
        Serve();
        await attachment.SettleAsync(cancellationToken);
        plugin.Sweep();
    }

    private static string Aside(string folder) =>
        Path.Combine(Path.GetDirectoryName(folder)!, $".before-{Path.GetFileName(folder)}");
}
