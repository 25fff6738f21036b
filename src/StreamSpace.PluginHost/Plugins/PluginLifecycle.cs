using StreamSpace.PluginHost.Feed;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>Switches, reloads and exchanges plugins while everything else goes on. One at a time.</summary>
internal sealed class PluginLifecycle(PluginSet plugins, FeedSupervisor feeds, TimeProvider clock)
{
    private readonly Turn _turn = new();
    private readonly Lock _lock = new();
    private CancellationTokenSource? _attempt;

    /// <summary>
    /// For whoever does something with a plugin that is more than one step. An attempt at one that is only tried again gives
    /// way, for it may hang.
    /// </summary>
    public Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _attempt?.Cancel();
        }
        return _turn.TakeAsync(cancellationToken);
    }

    /// <summary>
    /// Loads the plugin and tells it what happens from now on; survives a restart. One that is enabled already stays
    /// untouched, but for one that failed or is isolated, which is tried again.
    /// </summary>
    public async Task EnableAsync(PluginSlot plugin, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        Demand(plugin);
        await plugin.Configurator!.EnableHereAsync(cancellationToken);
        if (plugin.State.Phase is PluginPhase.Running or PluginPhase.Unconfigured)
        {
            await SettleAsync(plugin, cancellationToken);
            return;
        }
        plugin.Configurator!.Config.Enabled = true;
        await ExchangeAsync(plugin, () => { }, cancellationToken);
    }

    /// <summary>Unloads the plugin, after it has sent what it can; survives a restart.</summary>
    public async Task DisableAsync(PluginSlot plugin, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        Demand(plugin);
        if (plugin.State.Phase is not PluginPhase.Disabled)
        {
            using var deadline = new CancellationTokenSource(PluginSet.UnloadTimeout, clock);
            await plugin.DisableAsync(deadline.Token);
        }
        await SettleAsync(plugin, cancellationToken);
    }

    /// <summary>Unloads a plugin and loads what lies in its folder now, also one that was isolated.</summary>
    public async Task ReloadAsync(PluginSlot plugin, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        Demand(plugin);
        await ExchangeAsync(plugin, () => { }, cancellationToken);
    }

    /// <summary>Tries another copy of every plugin whose time has come.</summary>
    public async Task TryAgainAsync(CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins.All.Where(p => p.IsDue))
        {
            using var turn = await _turn.TakeAsync(cancellationToken);
            // Somebody may have reloaded, disabled or uninstalled it.
            if (plugins.All.Contains(plugin) && plugin.IsDue)
            {
                await TryAgainAsync(plugin, cancellationToken);
            }
        }
    }

    private async Task TryAgainAsync(PluginSlot plugin, CancellationToken cancellationToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Begin(attempt);
        try
        {
            await plugin.ExchangeAsync(
                () => { },
                route => plugins.IsTaken(route, plugin),
                PluginSet.UnloadTimeout,
                attempt.Token
            );
        }
        finally
        {
            Begin(null);
            await SettleAsync(plugin, cancellationToken);
        }
    }

    private void Begin(CancellationTokenSource? attempt)
    {
        lock (_lock)
        {
            _attempt = attempt;
        }
    }

    /// <summary>Unloads a plugin, does <paramref name="swap"/>, and loads what lies in its folder then. For whoever has the turn.</summary>
    public async Task ExchangeAsync(PluginSlot plugin, Action swap, CancellationToken cancellationToken)
    {
        try
        {
            await plugin.ExchangeAsync(
                swap,
                route => plugins.IsTaken(route, plugin),
                PluginSet.UnloadTimeout,
                cancellationToken
            );
        }
        finally
        {
            await SettleAsync(plugin, cancellationToken);
        }
    }

    /// <summary>Brings everything in line with what a plugin is now: its endpoints, its row, what it is told.</summary>
    public async Task SettleAsync(PluginSlot plugin, CancellationToken cancellationToken)
    {
        // The endpoints first: they hold the copy that was unloaded.
        plugins.NotifyChanged();
        await feeds.SettleAsync(cancellationToken);
        // Off the stack that led here: it may be that of the last call of the copy that is to leave.
        await Task.Yield();
        plugin.CollectUnloaded();
    }

    /// <summary>Whoever waited for the turn may find that the plugin was uninstalled; another may lie in its folder by now.</summary>
    /// <exception cref="PluginException">It was.</exception>
    public void Demand(PluginSlot plugin)
    {
        if (!plugins.All.Contains(plugin))
        {
            throw PluginException.Gone(plugin.Name);
        }
    }
}
