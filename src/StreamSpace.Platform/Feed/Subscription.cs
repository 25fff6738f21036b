using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Feed;

/// <summary>
/// One subscriber's own way along the log of facts: a loop, a cursor and a back-off of its own, so that it delays nobody else
/// and nobody else delays it. What is true is told at once, also while facts wait for the subscriber to be able to keep them.
/// </summary>
public sealed class Subscription : IAsyncDisposable
{
    private readonly ISubscriber _subscriber;
    private readonly FactLog _log;
    private readonly bool _isDemo;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Step _state;
    private readonly Step _facts;
    private readonly Task _running;

    // Not disposed of: whoever publishes may still look at it, and it has no timer.
    private readonly CancellationTokenSource _stop = new();

    // One place: being woken twice is being woken.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly Lock _lock = new();
    private readonly StateChange _next;
    private long _cursor;
    private long _missed;
    private volatile bool _isEnding;

    internal Subscription(
        ISubscriber subscriber,
        FactLog log,
        PlatformState snapshot,
        TimeProvider clock,
        Func<double> random,
        ILogger logger
    )
    {
        _subscriber = subscriber;
        _log = log;
        _isDemo = snapshot.IsDemo;
        _clock = clock;
        _logger = logger;
        _next = new StateChange(snapshot);
        _cursor = log.CursorOf(subscriber.Name);
        _state = new Step(ApplyAsync, random);
        _facts = new Step(HandleAsync, random);
        _running = Task.Run(RunAsync);
    }

    /// <summary>How it stands now.</summary>
    public SubscriptionHealth Health
    {
        get
        {
            var failure = _state.Failure ?? _facts.Failure;
            return new(
                Math.Max(0, _log.Last - Interlocked.Read(ref _cursor)),
                Interlocked.Read(ref _missed),
                failure?.Since,
                failure?.Error
            );
        }
    }

    /// <summary>True once it was disposed of, or its subscriber is no more.</summary>
    public bool IsEnded => _stop.IsCancellationRequested;

    /// <summary>There is news, of which the facts are in the log.</summary>
    internal void Publish(RegistryUpdate news, bool isWhole, bool isCatchingUp)
    {
        lock (_lock)
        {
            _next.Add(news, isWhole, isCatchingUp);
        }
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Tells what is left to be told, unless the subscriber fails at it or it takes too long, and ends.</summary>
    public async ValueTask EndAsync(TimeSpan within)
    {
        _isEnding = true;
        _wake.Writer.TryWrite(true);
        await _running.WaitAsync(within, _clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DisposeAsync();
    }

    /// <summary>Ends it; returns once no call of the subscriber is under way. Not to be called from within one.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                _wake.Reader.TryRead(out _);
                await TryAsync(_state);
                // A subscriber that does not know what is true is told nothing that happened.
                if (_state.IsDue && await TryAsync(_facts))
                {
                    continue;
                }
                if (_isEnding)
                {
                    return;
                }
                var woken = _wake.Reader.WaitToReadAsync(_stop.Token).AsTask();
                await await Task.WhenAny([
                    woken,
                    .. new[] { _state.Wait, _facts.Wait }.Where(wait => !wait.IsCompleted),
                ]);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        catch (SubscriberGoneException)
        {
            await _stop.CancelAsync();
        }
    }

    /// <summary>Makes a step that is due; true when there was something to do, and it worked.</summary>
    private async Task<bool> TryAsync(Step step)
    {
        if (!step.IsDue)
        {
            return false;
        }
        try
        {
            var worked = await step.Do();
            if (worked)
            {
                step.Succeeded();
            }
            return worked;
        }
        catch (Exception e) when (e is not SubscriberGoneException && !_stop.IsCancellationRequested)
        {
            var wait = step.Failed(e.Message, _clock, _stop.Token);
            // By its words alone: it may come again and again, and the subscriber knows where it was thrown.
            _logger.LogError(
                "{Subscriber} failed to take what the platform says ({Error}); it comes again in {Seconds:F1} s (failure {Failures}).",
                _subscriber.Name,
                e.Message,
                wait.TotalSeconds,
                step.Failures
            );
            return false;
        }
        // Asked to stop in the middle: nobody waits for its answer any more.
        catch (Exception e) when (e is not SubscriberGoneException)
        {
            throw new OperationCanceledException(_stop.Token);
        }
    }

    private async Task<bool> ApplyAsync()
    {
        PlatformState? state;
        lock (_lock)
        {
            state = _next.Take();
        }
        if (state is null)
        {
            return false;
        }
        try
        {
            await _subscriber.ApplyAsync(state with { IsDemo = _isDemo }, _stop.Token);
            return true;
        }
        catch
        {
            lock (_lock)
            {
                _next.PutBack(state);
            }
            throw;
        }
    }

    private async Task<bool> HandleAsync()
    {
        if (_cursor >= _log.Last)
        {
            return false;
        }
        var page = await _log.ReadAsync(_cursor);
        if (page.Facts.Count > 0)
        {
            await _subscriber.HandleAsync(new FactBatch(page.LogId, page.Facts) { IsDemo = _isDemo }, _stop.Token);
        }
        if (page.Missing > 0)
        {
            Interlocked.Add(ref _missed, page.Missing);
            _logger.LogError(
                "{Missing} facts left the log before {Subscriber} had them: they are older than {Hours} h, the log had no room "
                    + "for them, or they are damaged.",
                page.Missing,
                _subscriber.Name,
                SqliteFactTable.KeptFor.TotalHours
            );
        }
        Interlocked.Exchange(ref _cursor, page.Last);
        _log.Acknowledge(_subscriber.Name, page.Last);
        return true;
    }

    private sealed record Failure(DateTimeOffset Since, string Error);

    /// <summary>Something that is tried again, each time after a longer wait.</summary>
    private sealed class Step(Func<Task<bool>> step, Func<double> random)
    {
        private static readonly BackOff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

        private volatile Failure? _failure;

        public int Failures { get; private set; }

        public Failure? Failure => _failure;

        public Task Wait { get; private set; } = Task.CompletedTask;

        public bool IsDue => Wait.IsCompleted;

        public Task<bool> Do() => step();

        public void Succeeded() => (Failures, _failure) = (0, null);

        public TimeSpan Failed(string error, TimeProvider clock, CancellationToken stop)
        {
            _failure = new Failure(_failure?.Since ?? clock.GetUtcNow(), error);
            var wait = Retry.After(++Failures, random());
            Wait = Task.Delay(wait, clock, stop);
            return wait;
        }
    }
}
