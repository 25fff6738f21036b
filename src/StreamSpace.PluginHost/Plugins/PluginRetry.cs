namespace StreamSpace.PluginHost.Plugins;

/// <summary>Looks every second for plugins that are to be tried again, until it is disposed.</summary>
internal sealed class PluginRetry : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    // An attempt that hangs is not waited for at the end.
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(2);

    // Not disposed of, for it has no timer: this may be disposed twice.
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _clock;
    private readonly Task _running;

    public PluginRetry(PluginLifecycle plugins, TimeProvider clock, ILogger logger)
    {
        _clock = clock;
        _running = RunAsync(plugins, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(AttemptTimeout, _clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync(PluginLifecycle plugins, ILogger logger)
    {
        var stop = _stop.Token;
        using var timer = new PeriodicTimer(LookEvery, _clock);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(stop);
                await plugins.TryAgainAsync(stop);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                // Asked to.
            }
            catch (Exception e)
            {
                logger.LogError(e, "A plugin that is isolated could not be tried again; that is done later.");
            }
        }
    }
}
