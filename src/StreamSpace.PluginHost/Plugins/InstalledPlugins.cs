namespace StreamSpace.PluginHost;

/// <summary>
/// Installs, switches and uninstalls plugins while everything else goes on. One at a time.
/// </summary>
internal sealed partial class InstalledPlugins(PluginSet plugins, Attachment attachment) : IDisposable
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

    public void Dispose()
    {
        _turn.Dispose();
        _incoming.Dispose();
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
}
