using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>
/// Watches a platform through its sources and tells the listeners what happened, at least once and in order.
/// Whatever has arrived is one batch: what it changes, how far the sources have come, and the facts that it yields are
/// kept together, before anyone is told. The facts stay owed until every listener has taken and kept them, so that a
/// crash in between brings the same facts again, whichever source speaks first then.
/// </summary>
public sealed class PlatformWatch : IAsyncDisposable
{
    private const int WaitingBatches = 4096;
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private readonly IReadOnlyList<ISource> _sources;
    private readonly WatchBook _book;
    private readonly bool _demo;
    private readonly Func<bool> _holdsUnkept;
    private readonly TimeProvider _clock;
    private readonly Func<double> _chance;
    private readonly ILogger _logger;

    // A full channel makes the sources wait: nothing is dropped here.
    private readonly Channel<ObservationBatch> _arrived = Channel.CreateBounded<ObservationBatch>(
        new BoundedChannelOptions(WaitingBatches) { SingleReader = true }
    );

    // Whoever has the turn may touch what follows.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<Listener> _listeners = [];
    private bool _allSeen;
    private bool _behind;

    // Read by others while the loop writes.
    private volatile IReadOnlyDictionary<SessionState, int> _sessions = new Dictionary<SessionState, int>();

    /// <summary>Starts nothing yet.</summary>
    /// <param name="sources">What to watch; names must differ.</param>
    /// <param name="store">What was known before, and where to keep what becomes known. Disposed by the caller.</param>
    /// <param name="demo">True when the sources invent what they say: every batch is then marked as such.</param>
    /// <param name="holdsUnkept">True while something that was told may be in a memory alone, or lost: it stays owed.</param>
    /// <param name="clock">Our clock.</param>
    /// <param name="chance">Uniform in [0, 1).</param>
    /// <param name="logger">For faults of sources, listeners and the store.</param>
    public PlatformWatch(
        IReadOnlyList<ISource> sources,
        IRegistryStore store,
        bool demo,
        Func<bool> holdsUnkept,
        TimeProvider clock,
        Func<double> chance,
        ILogger logger
    )
    {
        _sources = sources;
        _book = new WatchBook(store, clock, logger);
        _demo = demo;
        _holdsUnkept = holdsUnkept;
        _clock = clock;
        _chance = chance;
        _logger = logger;
    }

    /// <summary>How the sources stand, now.</summary>
    public IReadOnlyList<SourceStatus> Sources => [.. _sources.Select(s => s.Status)];

    /// <summary>Why nothing of what the sources say can be kept now, in one sentence, or null.</summary>
    public string? NotKept => _book.NotKept;

    /// <summary>How many sessions are in each state before their end; a state without any is left out.</summary>
    public IReadOnlyDictionary<SessionState, int> Sessions => _sessions;

    /// <summary>
    /// Runs the sources and the loop until <paramref name="cancellationToken"/> fires, then returns. Attach
    /// listeners first: what happens while none is attached is kept, and told to nobody but as a baseline.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sources = Task.CompletedTask;
        try
        {
            // What was kept must be known before a source asks for its checkpoint.
            await TakeAsync([], areUp: false, behind: false, stop.Token);
            sources = Task.WhenAll(_sources.Select(s => RunSourceAsync(s, stop.Token)).ToList());
            await LoopAsync(stop.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            await stop.CancelAsync();
            await sources;
        }
        // What has been told since the last commit is not to be told again.
        _book.Commit([]);
    }

    /// <summary>
    /// Gives <paramref name="take"/> a baseline (every open session, the count of users when known), what is owed, if
    /// anything, and the baseline again; and then every batch. A call that throws is made again with the same batch, after
    /// a wait, until it succeeds or the listener is detached; the other listeners wait too. What comes first is given
    /// once: a failure there is the caller's.
    /// </summary>
    /// <param name="name">Names the listener in the log.</param>
    /// <param name="take">Takes a batch; returning means kept, unless something unkept is held. Its token fires on detaching.</param>
    /// <param name="cancellationToken">Gives up attaching.</param>
    /// <returns>Detaches when disposed, and returns once no call is under way. Not to be disposed from within a call.</returns>
    public async ValueTask<IAsyncDisposable> AttachAsync(
        string name,
        Func<PlatformBatch, CancellationToken, ValueTask> take,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var listener = new Listener(name, take, DetachAsync, _clock, _chance, _logger);
            await listener.BeginAsync(Beginning([]), cancellationToken);
            _listeners.Add(listener);
            return listener;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Begins anew with a listener that is attached, once: a failure there is the caller's.</summary>
    /// <param name="listener">What <see cref="AttachAsync"/> returned.</param>
    /// <param name="cancellationToken">Gives up waiting for the batch that is under way.</param>
    public async ValueTask RenewAsync(IAsyncDisposable listener, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await ((Listener)listener).BeginAsync(Beginning([]), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Detaches every listener. To be called once <see cref="RunAsync"/> has returned.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners.ToList())
        {
            await listener.DisposeAsync();
        }
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
            var behind = _sources.Any(s => s.IsCatchingUp);
            var batches = Arrived();
            // Asked again: one of them may be the first piece.
            behind |= _sources.Any(s => s.IsCatchingUp);
            await TakeAsync(batches, areUp, behind, cancellationToken);
            tick ??= timer.WaitForNextTickAsync(cancellationToken).AsTask();
            arrival ??= _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask();
            await await Task.WhenAny(tick, arrival);
            tick = tick.IsCompleted ? null : tick;
            arrival = arrival.IsCompleted ? null : arrival;
        }
    }

    private List<ObservationBatch> Arrived()
    {
        var batches = new List<ObservationBatch>();
        while (batches.Count < WaitingBatches && _arrived.Reader.TryRead(out var batch))
        {
            batches.Add(batch);
        }
        return batches;
    }

    private async Task TakeAsync(
        List<ObservationBatch> batches,
        bool areUp,
        bool behind,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var registry = _book.Registry;
            registry.Tick(_clock.GetUtcNow());
            batches.ForEach(_book.Take);
            _sessions = registry.Counts;
            var news = registry.TakeEvents();
            var isKept = await _book.CommitAsync(news);
            var before = (_allSeen, _behind);
            _behind = behind;
            _allSeen |= areUp && !behind;
            if (news.Count > 0 || (_allSeen, _behind) != before)
            {
                await TellAsync(Batch(news), cancellationToken);
            }
            if (_book.Owed.Count > 0 && !_holdsUnkept())
            {
                _book.Pay();
            }
            foreach (var batch in batches)
            {
                batch.Taken?.TrySetResult(isKept);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task TellAsync(PlatformBatch told, CancellationToken cancellationToken)
    {
        foreach (var listener in _listeners.ToList())
        {
            await listener.DeliverAsync(told, () => Beginning(told.Events), cancellationToken);
        }
    }

    private async Task RunSourceAsync(ISource source, CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            try
            {
                await source.RunAsync(_arrived.Writer, _book.CheckpointOf(source.Name), cancellationToken);
                return;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                var wait = Retry.After(failures, _chance());
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

    // An owed fact may be older than what is known now: so after it comes the baseline again.
    private IReadOnlyList<PlatformBatch> Beginning(IReadOnlyList<PlatformEvent> next)
    {
        var baseline = Batch(_book.Registry.Baseline) with { Baseline = true };
        List<PlatformEvent> owed = [.. _book.Owed.Except(next)];
        return owed.Count == 0 ? [baseline] : [baseline, Batch(owed) with { CatchingUp = true }, baseline];
    }

    private PlatformBatch Batch(IReadOnlyList<PlatformEvent> events) =>
        new(events)
        {
            Demo = _demo,
            AllSeen = _allSeen,
            CatchingUp = _behind,
        };

    private async ValueTask DetachAsync(Listener listener)
    {
        await _turn.WaitAsync();
        try
        {
            _listeners.Remove(listener);
        }
        finally
        {
            _turn.Release();
        }
    }
}
