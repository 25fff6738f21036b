using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Plugins;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>
/// Lets StreamSpace's own Admin → Plugins page configure the plugins: each one's row in the platform's database is
/// watched, and wins over what is kept here.
/// </summary>
/// <param name="database">Null when none is attached.</param>
/// <param name="plugins">Those that are configured.</param>
/// <param name="feeds">Brought in line with what a row has changed.</param>
/// <param name="clock">Our clock.</param>
/// <param name="logger">Takes what ends a watch.</param>
internal sealed class PluginRows(
    PostgresOptions? database,
    PluginSet plugins,
    FeedSupervisor feeds,
    TimeProvider clock,
    ILogger logger
) : IAsyncDisposable
{
    // A database that is away must not keep the process from serving.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<PluginSlot, CancellationTokenSource> _watched = [];
    private readonly List<Task> _watching = [];

    private bool _ended;

    // Before that the start settles, once for all first looks.
    private volatile bool _started;

    /// <summary>Begins to watch; returns once each row was looked at, or after five seconds.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (database is null)
        {
            return;
        }
        plugins.Changed += () => Follow(database);
        var looked = Task.WhenAll(Follow(database));
        await Task.WhenAny(looked, Task.Delay(FirstLook, clock, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        _started = true;
    }

    public async ValueTask DisposeAsync()
    {
        List<Task> watching;
        lock (_lock)
        {
            _ended = true;
            foreach (var stop in _watched.Values)
            {
                stop.Cancel();
            }
            watching = [.. _watching];
        }
        await Task.WhenAll(watching);
    }

    // Watches the rows of the plugins that there are now, and of no others; gives each new one's first look.
    private List<Task> Follow(PostgresOptions database)
    {
        lock (_lock)
        {
            if (_ended)
            {
                return [];
            }
            var there = plugins.All.Where(p => p.Manifest is not null).ToHashSet();
            foreach (var (plugin, stop) in _watched.Where(w => !there.Contains(w.Key)).ToList())
            {
                _watched.Remove(plugin);
                stop.Cancel();
            }
            _watching.RemoveAll(w => w.IsCompleted);
            var looks = new List<Task>();
            foreach (var plugin in there.Where(p => !_watched.ContainsKey(p)))
            {
                var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var stop = _watched[plugin] = new CancellationTokenSource();
                _watching.Add(Task.Run(() => WatchAsync(database, plugin, first, stop.Token)));
                looks.Add(first.Task);
            }
            return looks;
        }
    }

    private async Task WatchAsync(
        PostgresOptions database,
        PluginSlot plugin,
        TaskCompletionSource first,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await foreach (
                var reading in new PluginRowWatch(database, plugin.Name, clock).WatchAsync(cancellationToken)
            )
            {
                await plugin.Configurator!.UseRowAsync(reading, cancellationToken);
                if (!first.TrySetResult() || _started)
                {
                    await feeds.SettleAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
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
