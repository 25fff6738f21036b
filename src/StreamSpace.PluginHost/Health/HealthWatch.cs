using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Health;

/// <summary>
/// Looks every two seconds how everything stands, until it is disposed, and has it logged: what concerns a plugin in that plugin's
/// log, the rest in the host's.
/// </summary>
internal sealed class HealthWatch : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly HostHealth _health;
    private readonly PluginSet _plugins;
    private readonly StartupConsole _console;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly HealthLog _ofHost;
    private readonly Dictionary<PluginSlot, HealthLog> _ofPlugins = [];

    // Not disposed of, for it has no timer: this may be disposed twice.
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public HealthWatch(HostHealth health, PluginSet plugins, StartupConsole console, TimeProvider clock, ILogger logger)
    {
        (_health, _plugins, _console, _clock, _logger) = (health, plugins, console, clock, logger);
        _ofHost = new HealthLog(logger, console, clock);
        foreach (var absent in health.Absent)
        {
            logger.LogWarning("degraded: {Sentence} {Fix}", absent.Found, absent.Fix);
        }
        _running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Every, _clock);
        do
        {
            try
            {
                await Task.Run(Look);
            }
            // Whatever it was, the next look follows.
            catch (Exception e)
            {
                _logger.LogError(e, "It could not be looked at how everything stands.");
            }
        } while (await NextAsync(timer));
    }

    private async Task<bool> NextAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Look()
    {
        _ofHost.Look(_health.Findings);
        var plugins = _plugins.All;
        foreach (var gone in _ofPlugins.Keys.Except(plugins).ToList())
        {
            _ofPlugins.Remove(gone);
        }
        foreach (var plugin in plugins)
        {
            if (!_ofPlugins.TryGetValue(plugin, out var log))
            {
                // One that is off from the start has no log of its own.
                if (plugin.Log is null && plugin.State.Phase is PluginPhase.Loading)
                {
                    continue;
                }
                _ofPlugins[plugin] = log = new HealthLog(plugin.Log?.Logger ?? _logger, _console, _clock);
            }
            if (!plugin.IsLoaded)
            {
                log.Forget();
            }
            log.Look(HostHealth.FindingsOf(plugin));
        }
    }
}
