using StreamSpace.Platform;

namespace StreamSpace.PluginHost;

/// <summary>
/// Lets StreamSpace's own Admin → Plugins page configure the plugins: each one's row in the platform's database is
/// watched, and wins over what is kept here.
/// </summary>
internal sealed class PluginRows(PostgresOptions database, PluginSet plugins, TimeProvider clock, ILogger logger)
    : IAsyncDisposable
{
    // A database that is away must not keep the process from serving.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    /// <summary>Begins to watch; returns once each row was looked at, or after five seconds.</summary>
    /// <param name="settle">Called when a later change may alter who hears what.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task StartAsync(Func<CancellationToken, Task> settle, CancellationToken cancellationToken)
    {
        var watched = plugins.All.Where(p => p.Manifest is not null).ToList();
        var looked = watched.ConvertAll(_ => new TaskCompletionSource(
            TaskCreationOptions.RunContinuationsAsynchronously
        ));
        _watching = Task.WhenAll(watched.Zip(looked, (plugin, first) => WatchAsync(plugin, first, settle)));
        await Task.WhenAny(Task.WhenAll(looked.Select(l => l.Task)), Task.Delay(FirstLook, clock, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync(HostedPlugin plugin, TaskCompletionSource first, Func<CancellationToken, Task> settle)
    {
        try
        {
            await foreach (var sight in new PluginRowWatch(database, plugin.Name, clock).WatchAsync(_stop.Token))
            {
                await plugin.UseRowAsync(sight, _stop.Token);
                if (!first.TrySetResult())
                {
                    await settle(_stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to.
        }
        catch (Exception e)
        {
            logger.LogError(e, "The row of {Plugin} in StreamSpace's database is no longer watched.", plugin.Name);
        }
        finally
        {
            first.TrySetResult();
        }
    }
}
