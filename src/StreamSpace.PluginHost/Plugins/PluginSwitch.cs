namespace StreamSpace.PluginHost;

/// <summary>Switches plugins on and off while everything else goes on. One at a time.</summary>
internal sealed class PluginSwitch(PluginSet plugins, Attachment attachment) : IDisposable
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

    public void Dispose() => _turn.Dispose();
}
