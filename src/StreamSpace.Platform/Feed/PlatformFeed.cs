using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Feed;

/// <summary>
/// Watches a platform through its sources, keeps what it finds, and tells subscribers. Whatever has arrived is one batch:
/// what it changes, how far the sources have come, and the facts that follow are kept together (<see cref="FactLog"/>), before
/// any subscriber can read these facts.
/// </summary>
public sealed class PlatformFeed : IAsyncDisposable
{
    private const int WaitingBatches = 4096;
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private readonly IReadOnlyList<ISource> _sources;
    private readonly FactLog _log;
    private readonly bool _isDemo;
    private readonly TimeProvider _clock;
    private readonly Func<double> _random;
    private readonly ILogger _logger;

    // A full channel makes the sources wait: nothing is dropped here.
    private readonly Channel<ObservationBatch> _arrived = Channel.CreateBounded<ObservationBatch>(
        new BoundedChannelOptions(WaitingBatches) { SingleReader = true }
    );

    // Whoever has the turn may touch what follows.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<Subscription> _subscriptions = [];
    private bool _isWhole;
    private bool _isCatchingUp;

    // Read by others while the loop writes.
    private volatile IReadOnlyDictionary<SessionState, int> _sessions = new Dictionary<SessionState, int>();
    private volatile SourceStatus? _api;

    /// <summary>Starts nothing yet.</summary>
    /// <param name="sources">What to watch; names must differ.</param>
    /// <param name="store">What was known before, and where to keep what becomes known. Disposed by the caller.</param>
    /// <param name="isDemo">True when the sources invent what they say: whatever is told is then marked as such.</param>
    /// <param name="clock">Our clock.</param>
    /// <param name="random">Uniform in [0, 1).</param>
    /// <param name="logger">For what goes wrong with sources, subscribers and the store.</param>
    public PlatformFeed(
        IReadOnlyList<ISource> sources,
        IPlatformStore store,
        bool isDemo,
        TimeProvider clock,
        Func<double> random,
        ILogger logger
    )
    {
        _sources = sources;
        _log = new FactLog(store, clock, logger);
        _isDemo = isDemo;
        _clock = clock;
        _random = random;
        _logger = logger;
    }

    /// <summary>How the sources stand, now, and StreamSpace's API where they can tell of it.</summary>
    public IReadOnlyList<SourceStatus> Sources =>
        [.. _sources.Select(s => s.Status), .. _api is { } api ? (SourceStatus[])[api] : []];

    /// <summary>Why nothing of what the sources say can be kept now, in one sentence, or null.</summary>
    public string? StoreError => _log.StoreError;

    /// <summary>How many sessions are in each state before their end; a state without any is left out.</summary>
    public IReadOnlyDictionary<SessionState, int> Sessions => _sessions;

    /// <summary>Runs the sources and the loop until <paramref name="cancellationToken"/> fires, then returns.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sources = Task.CompletedTask;
        try
        {
            // What was kept must be known before a source asks for its checkpoint.
            await TakeAsync([], areUp: false, isBehind: false, stop.Token);
            sources = Task.WhenAll(_sources.Select(s => RunSourceAsync(s, stop.Token)).ToList());
            await LoopAsync(stop.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            await stop.CancelAsync();
            await sources;
        }
        await _log.CommitAsync([]);
    }

    /// <summary>
    /// Tells a subscriber what is true, and what happens from its cursor on: where it left off, or, the first time, from now on.
    /// </summary>
    /// <param name="subscriber">Not one that is subscribed already.</param>
    /// <param name="cancellationToken">Gives up waiting for the turn.</param>
    /// <returns>Ends the subscription when disposed, and leaves the cursor where it is.</returns>
    public async ValueTask<Subscription> SubscribeAsync(ISubscriber subscriber, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _subscriptions.RemoveAll(s => s.IsEnded);
            var snapshot = _log.Registry.Snapshot with
            {
                IsDemo = _isDemo,
                IsWhole = _isWhole,
                IsCatchingUp = _isCatchingUp,
            };
            var subscription = new Subscription(subscriber, _log, snapshot, _clock, _random, _logger);
            _subscriptions.Add(subscription);
            return subscription;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Forgets how far any other subscriber has come than these: should it come back, it begins with what happens then.
    /// </summary>
    public void RemoveCursorsBut(IReadOnlySet<string> subscribers) => _log.RemoveCursorsBut(subscribers);

    /// <summary>
    /// Ends every subscription and keeps how far each has come. To be called once <see cref="RunAsync"/> has returned.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in _subscriptions.ToList())
        {
            await subscription.DisposeAsync();
        }
        await _log.CommitAsync([]);
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TickEvery, _clock);
        Task<bool>? tick = null;
        Task<bool>? arrival = null;
        while (true)
        {
            // Asked first: what a source told before it was up is then among what has arrived.
            var areUp = _sources.All(s => s.Status.State is SourceState.Up);
            var isBehind = _sources.Any(s => s.IsCatchingUp);
            var batches = Arrived();
            // Asked again: one of them may be the first piece.
            isBehind |= _sources.Any(s => s.IsCatchingUp);
            await TakeAsync(batches, areUp, isBehind, cancellationToken);
            tick ??= timer.WaitForNextTickAsync(cancellationToken).AsTask();
            arrival ??= _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask();
            // What cannot be kept waits where it comes from.
            await await Task.WhenAny(_log.IsFull ? [tick] : [tick, arrival]);
            tick = tick.IsCompleted ? null : tick;
            arrival = arrival.IsCompleted ? null : arrival;
        }
    }

    private List<ObservationBatch> Arrived()
    {
        var batches = new List<ObservationBatch>();
        while (!_log.IsFull && batches.Count < WaitingBatches && _arrived.Reader.TryRead(out var batch))
        {
            batches.Add(batch);
        }
        return batches;
    }

    private async Task TakeAsync(
        List<ObservationBatch> batches,
        bool areUp,
        bool isBehind,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var registry = _log.Registry;
            registry.Tick(_log.Now);
            batches.ForEach(_log.Take);
            (_sessions, _api) = (registry.Counts, registry.Api);
            var news = registry.TakeUpdate();
            _isCatchingUp = isBehind;
            _isWhole |= areUp && !isBehind;
            var isDurable = await _log.CommitAsync(news.Facts);
            // A state is told though the disk fails; a fact is there for subscribers once the disk has it.
            Publish(news);
            foreach (var batch in batches)
            {
                batch.Durable?.TrySetResult(isDurable);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Publish(RegistryUpdate news) => _subscriptions.ForEach(s => s.Publish(news, _isWhole, _isCatchingUp));

    private async Task RunSourceAsync(ISource source, CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            try
            {
                await source.RunAsync(_arrived.Writer, _log.CheckpointOf(source.Name), cancellationToken);
                return;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                var wait = Retry.After(failures, _random());
                _logger.LogError(
                    e,
                    "Source {Source} broke; it starts again in {Seconds:F1} s.",
                    source.Name,
                    wait.TotalSeconds
                );
                await Task.Delay(wait, _clock, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            // Asked to stop: whatever a source throws on its way out is no news.
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
