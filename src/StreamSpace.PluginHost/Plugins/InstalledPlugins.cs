using Microsoft.Data.Sqlite;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// Installs, switches and uninstalls plugins while everything else goes on. One at a time.
/// </summary>
internal sealed partial class InstalledPlugins(PluginSet plugins, FeedSupervisor feeds) : IDisposable
{
    private static readonly TimeSpan UnloadTimeout = TimeSpan.FromSeconds(10);

    // A dot keeps it from being taken for a plugin.
    private const string Removed = ".removed-";

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Called when plugins or their endpoints may have come or gone.</summary>
    public Action Serve { get; set; } = () => { };

    public IReadOnlyList<HostedPlugin> All => plugins.All;

    /// <summary>The plugin of this name or route, or null.</summary>
    public HostedPlugin? Find(string name) =>
        All.FirstOrDefault(p => p.Name == name) ?? All.FirstOrDefault(p => p.Manifest?.Route == name);

    /// <summary>
    /// Loads the plugin and lets it hear, or lets it go; survives a restart. One that is so already stays untouched, but
    /// for one that failed or is isolated, which is tried again.
    /// </summary>
    public async Task SetAsync(HostedPlugin plugin, bool on, TimeProvider clock, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Demand(plugin);
            var isOn = plugin.State is PluginState.Running or PluginState.Unconfigured;
            if (on && !isOn)
            {
                plugin.Enable();
                await ExchangeAsync(plugin, () => { }, cancellationToken);
                return;
            }

            if (!on && plugin.State is not PluginState.Disabled)
            {
                using var deadline = new CancellationTokenSource(UnloadTimeout, clock);
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
            Demand(plugin);
            await ExchangeAsync(plugin, () => { }, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Tries another copy of every plugin whose time has come.</summary>
    public async Task TryAgainAsync(CancellationToken cancellationToken)
    {
        foreach (var plugin in All.Where(p => p.IsDue))
        {
            await _turn.WaitAsync(cancellationToken);
            try
            {
                // Somebody may have reloaded, disabled or uninstalled it.
                if (All.Contains(plugin) && plugin.IsDue)
                {
                    await ExchangeAsync(plugin, () => { }, cancellationToken);
                }
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    /// <summary>
    /// Lets a plugin go, after it has sent what it can, and removes its folder, its data folder and its config.
    /// </summary>
    /// <param name="plugin">Which.</param>
    /// <param name="discard">Whether it goes although it has not delivered all.</param>
    /// <param name="host">Where its data lie.</param>
    /// <param name="cancellationToken">Gives up waiting for its turn.</param>
    /// <exception cref="PluginException">
    /// It has not delivered all, or its folder cannot be removed, and it stays; or something of it is left.
    /// </exception>
    public async Task UninstallAsync(
        HostedPlugin plugin,
        bool discard,
        HostServices host,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Demand(plugin);
            var wasLoaded = plugin.Plugin is not null;
            using (var deadline = new CancellationTokenSource(UnloadTimeout, host.Clock))
            {
                await plugin.StopAsync(deadline.Token);
            }
            await SettleAsync(plugin, cancellationToken);
            var undelivered = Owns(plugin, but: plugin) ? plugin.Undelivered : "";
            if (undelivered.Length > 0 && !discard)
            {
                await TakeBackAsync(plugin, wasLoaded, cancellationToken);
                throw new PluginException(
                    StatusCodes.Status409Conflict,
                    $"{plugin.Name} stays, for it has not delivered yet: {undelivered}. Its status says what is in the way; to uninstall it all the same and lose that, add ?discard=true."
                );
            }
            var removed = await RemoveFolderAsync(plugin, wasLoaded, cancellationToken);
            if (undelivered.Length > 0)
            {
                plugin.Discard(undelivered);
            }
            await plugin.EndAsync();
            plugins.Remove(plugin);
            // Its place in the log of facts goes with it.
            await SettleAsync(plugin, cancellationToken);
            Forget(plugin, removed, host);
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

    // Whoever waited for the turn may find that the plugin was uninstalled; another may lie in its folder by now.
    private void Demand(HostedPlugin plugin)
    {
        if (!All.Contains(plugin))
        {
            throw PluginException.Gone(plugin.Name);
        }
    }

    // By a new name, at once or not at all: what cannot be removed must not be lost by half.
    private async Task<string> RemoveFolderAsync(
        HostedPlugin plugin,
        bool wasLoaded,
        CancellationToken cancellationToken
    )
    {
        var folder = Path.GetDirectoryName(plugin.Folder)!;
        var removed = Path.Combine(folder, $"{Removed}{Guid.NewGuid():N}");
        try
        {
            MoveIfThere(plugin.Folder, removed);
            return removed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await TakeBackAsync(plugin, wasLoaded, cancellationToken);
            throw new PluginException(
                StatusCodes.Status409Conflict,
                $"{plugin.Name} stays, for its folder cannot be removed: {SafeErrorText.Of(e, folder)}",
                e
            );
        }
    }

    private async Task TakeBackAsync(HostedPlugin plugin, bool wasLoaded, CancellationToken cancellationToken)
    {
        if (wasLoaded)
        {
            await plugin.LoadAsync(cancellationToken);
            await SettleAsync(plugin, cancellationToken);
        }
    }

    // One that was never loaded may bear a name that is not its own to take along.
    private bool Owns(HostedPlugin plugin, HostedPlugin? but = null) =>
        !PluginFolder.IsOurOwn(plugin.Name) && All.All(p => p == but || p.Name != plugin.Name);

    private void Forget(HostedPlugin plugin, string removed, HostServices host)
    {
        var owns = Owns(plugin);
        try
        {
            DeleteIfThere(removed);
            if (owns)
            {
                host.Store.Forget(plugin.Name);
                DeleteIfThere(Path.Combine(host.Data.Path, plugin.Name));
            }
            plugin.RemoveLogs();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new PluginException(
                StatusCodes.Status500InternalServerError,
                $"{plugin.Name} is uninstalled, but something of it is left: {SafeErrorText.Of(e, removed, host.Data.Path)}",
                e
            );
        }
    }

    private async Task ExchangeAsync(HostedPlugin plugin, Action swap, CancellationToken cancellationToken)
    {
        try
        {
            await plugin.ExchangeAsync(swap, route => plugins.IsTaken(route, plugin), UnloadTimeout, cancellationToken);
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
        await feeds.SettleAsync(cancellationToken);
        // Off the stack that led here: it may be that of the last call of the copy that is to leave.
        await Task.Yield();
        plugin.Sweep();
    }
}
