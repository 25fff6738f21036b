using System.Threading.Channels;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Events;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// The one loop that owns the aggregate. Whatever has arrived is one batch and one commit; a command is a flush, and what
/// follows it. While a flush is being encoded, on another thread, it goes on committing batches.
/// </summary>
internal sealed partial class PipelineLoop(
    GuardedStore store,
    SeriesTable table,
    Outbox outbox,
    Ledger ledger,
    Expiry expiry,
    DatadogClock clock,
    ILogger logger,
    PipelineLoop.Hooks hooks
)
{
    // Beyond this many measurements a flush comes early, so that what no flush has taken stays bounded.
    private const int EarlyFlush = 200_000;

    // Nor does more than this wait for a flush that is held: whoever has more keeps it.
    private const int MostHeld = 1_000_000;

    private const string Unsure = "The store does not answer: it may have been kept or not.";

    private readonly Channel<object> _inbox = Channel.CreateUnbounded<object>(new() { SingleReader = true });
    private volatile FlushStatus? _lastFlush;
    private volatile bool _stopping;
    private long _lastPayload;
    private readonly ChangeSource _leaveObservation = new();
    private readonly object _encodeAgain = new();
    private readonly object _secondIsFree = new();
    private readonly object _tryStore = new();
    private int _triesStore;
    private volatile string? _fault;

    /// <summary>How far the callers' streams are durable.</summary>
    public StreamPositions Positions { get; } = new();

    // Everything below belongs to the loop.
    private readonly Aggregate _aggregate = new(table);
    private readonly FlushClock _flushes = new(clock);
    private readonly SeenKeys _seen = new();
    private readonly EventFold _fold = new();
    private Queue<Command> _commands = [];
    private readonly List<PendingWrite> _held = [];
    private readonly List<LedgerMove> _refusedInReplay = [];
    private TelemetryOptions _options = new();
    private Flush? _flush;
    private Task _observing = Task.CompletedTask;
    private long _lastSequence;
    private long _flushedSequence;
    private int _sinceFlush;
    private bool _waitsForSecond;
    private LateWrite? _late;

    /// <summary>What else happens on the loop.</summary>
    /// <param name="Observe">Called with the second of each flush but the last, before it.</param>
    /// <param name="Report">Called after that, before each flush.</param>
    /// <param name="Configured">Called with the options that hold from then on.</param>
    /// <param name="AskTime">Called when Datadog's clock should be asked, at each flush that this machine's leaves in doubt.</param>
    public sealed record Hooks(
        Action<DateTimeOffset> Observe,
        Action Report,
        Action<TelemetryOptions> Configured,
        Action AskTime
    );

    /// <summary>Gauges are being observed.</summary>
    public Heartbeat Observing { get; } = new();

    /// <summary>A flush is being encoded.</summary>
    public Heartbeat Encoding { get; } = new();

    /// <summary>Something that came is being dealt with.</summary>
    public Heartbeat Working { get; } = new();

    public FlushStatus? LastFlush => _lastFlush;

    /// <summary>Why the flush is held, in a sentence; null while it is not.</summary>
    public string? Held => clock.IsInDoubt ? clock.Fault : _fault;

    private FlushEncoder Encoder => new(() => Interlocked.Increment(ref _lastPayload));

    /// <summary>Completes when the measurements and events are in the store.</summary>
    public Task KeepAsync(PendingWrite write) => _stopping ? Task.FromException(Stopped()) : Post(write, write.Done);

    /// <summary>Snapshots as soon as a second is free; then uses the next options, if any.</summary>
    /// <exception cref="StoreUnavailableException">There will be none for a while; nothing has changed.</exception>
    public Task FlushAsync(TelemetryOptions? next = null, bool isLast = false)
    {
        _stopping |= isLast;
        var command = new Command(next, isLast);
        return Post(command, command.Done);
    }

    /// <summary>Snapshots, or leaves it to the next time when no second is free.</summary>
    public Task FlushEarlyAsync()
    {
        var command = new Command(null, IsLast: false) { MayBeSkipped = true };
        return Post(command, command.Done);
    }

    /// <summary>Takes nothing more; flushes go on.</summary>
    public void Close() => _stopping = true;

    /// <summary>Waits no longer for gauges to be observed, and observes none until that has ended.</summary>
    public void LeaveObservation() => _leaveObservation.Raise();

    /// <summary>Encodes the flush under way once more; the first to end counts.</summary>
    public void EncodeAgain() => _inbox.Writer.TryWrite(_encodeAgain);

    /// <summary>Ends the loop without a flush.</summary>
    public void Abandon() => _inbox.Writer.TryComplete();

    /// <summary>
    /// Brings back what an earlier process left. Its measurements are in the first flush: it has a second of its own, and
    /// by then Datadog may have told the time. What came for another far end than the configured one is flushed at once.
    /// </summary>
    public async Task StartAsync(StoreContents contents, TelemetryOptions options)
    {
        _options = options;
        _flushes.Start(contents.LastFlush);
        _lastPayload = contents.LastPayload;
        _lastSequence = contents.LastSequence;
        foreach (var key in contents.Keys)
            _seen.Add(key);
        foreach (var (stream, position) in contents.Positions)
            Positions.Move(stream, position);
        _flushedSequence = contents.Journal.Count == 0 ? _lastSequence : contents.Journal[0].Sequence - 1;
        for (var from = 0; from < contents.Journal.Count; )
        {
            var destination = contents.Journal[from].Destination;
            var run = contents.Journal.Skip(from).TakeWhile(entry => entry.Destination == destination).ToList();
            Replay(run);
            from += run.Count;
            if (destination != options.Destination || from < contents.Journal.Count)
            {
                await FlushReplayAsync(run[^1].Sequence, options with { Destination = destination })
                    .ConfigureAwait(false);
            }
        }
        // What is queued and no request of the outbox had been folded.
        var events = contents.Outbox.Where(header => header.Lane == Lane.Events).Sum(header => header.Units);
        _fold.Start(ledger.Of(Lane.Events).Queued - events);
        hooks.Configured(options);
    }

    public async Task RunAsync()
    {
        while (await _inbox.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_inbox.Reader.TryRead(out var message))
            {
                Working.Beat();
                try
                {
                    await HandleAsync(message).ConfigureAwait(false);
                }
                // Without the loop nothing would move any more, and nobody would say so.
                catch (Exception error)
                {
                    logger.LogCritical(error, "The loop failed at {Message} and goes on", message.GetType().Name);
                }
            }
            Working.Rest();
        }
        _held.ForEach(write => write.Done.TrySetException(Stopped()));
        foreach (var command in _commands.Concat(_flush?.Commands ?? []))
            command.Done.TrySetException(Stopped());
    }

    private static InvalidOperationException Stopped() => new("The pipeline has been stopped.");

    private Task Post(object message, TaskCompletionSource done)
    {
        if (!_inbox.Writer.TryWrite(message))
            done.SetException(Stopped());
        return done.Task;
    }

    private async Task HandleAsync(object message)
    {
        if (message is Command command)
        {
            _commands.Enqueue(command);
        }
        else if (message is LateWrite late)
        {
            await EndLateAsync(late).ConfigureAwait(false);
        }
        else if (message == _tryStore)
        {
            _triesStore = 0;
            await RecoverAsync().ConfigureAwait(false);
        }
        else if (message == _secondIsFree)
        {
            _waitsForSecond = false;
        }
        else if (message == _encodeAgain)
        {
            if (_flush is not null)
                Encode(_flush);
        }
        else if (message is Encoded encoded)
        {
            if (encoded.Flush == _flush)
                await BookAsync(_flush, encoded).ConfigureAwait(false);
            if (_held.Count > 0 && !_stopping)
                await CommitHeldAsync().ConfigureAwait(false);
        }
        else
        {
            TakeWrites((PendingWrite)message);
            // What comes between a flush and the options after it belongs to these.
            if (_flush is null or { Next: null, IsLast: false })
                await CommitHeldAsync().ConfigureAwait(false);
        }
        await GoOnAsync().ConfigureAwait(false);
    }

    private void TakeWrites(PendingWrite first)
    {
        _held.Add(first);
        while (_inbox.Reader.TryPeek(out var next) && next is PendingWrite && _inbox.Reader.TryRead(out next))
            _held.Add((PendingWrite)next);
    }

    private async Task CommitHeldAsync()
    {
        List<PendingWrite> batch = [.. _held];
        _held.Clear();
        if (_sinceFlush >= MostHeld && Held is { } fault)
        {
            Refuse(batch.Where(write => write.Measurements.Count > 0), new StoreUnavailableException(fault));
            batch.RemoveAll(write => write.Measurements.Count > 0);
        }
        try
        {
            if (store.Error is { } failure)
                RefuseWhileFailing(batch, failure);
            else
                await CommitAsync(batch).ConfigureAwait(false);
        }
        catch (StoreUnavailableException error)
        {
            Refuse(batch, error);
        }
        // Whatever went wrong, those who wait must learn that nothing was kept, and the loop goes on.
        catch (Exception error)
        {
            logger.LogError(error, "A batch could not be kept");
            Refuse(batch, error);
        }
        batch.ForEach(write => write.Done.TrySetResult());
    }

    private async Task CommitAsync(List<PendingWrite> batch)
    {
        var intake = NewBatch();
        batch.ForEach(intake.Admit);
        foreach (var (write, error) in intake.Refused)
            write.Done.TrySetException(error);
        if (intake.Result(_lastSequence + 1) is not { } append)
            return;
        var late = new LateAppend(intake, append);
        if (!await WriteAsync(s => s.AppendAsync(append, default), late).ConfigureAwait(false))
            throw new StoreUnavailableException(Unsure) { MayBeKept = true };
        intake.Apply();
        Applied(intake, append);
        await expiry.LookAtRoomAsync(_options.QueueMaxBytes).ConfigureAwait(false);
    }

    private IntakeBatch NewBatch() =>
        new(_aggregate, _seen, Positions, _fold, Encoder, ledger, _options, clock.GetUtcNow());

    private void Applied(IntakeBatch intake, JournalAppend append)
    {
        _lastSequence = append.Journal.Sequence;
        intake.Remember();
        ledger.Book(append.Moves);
        outbox.Add(append.Payloads.Select(payload => payload.Header));
        FlushIfMany(append.Journal.Measurements.Count);
    }

    // What the store is still at may be the same, told once more.
    private void RefuseWhileFailing(List<PendingWrite> batch, string failure)
    {
        foreach (var write in batch)
        {
            var mayBeKept = _late is LateAppend late && late.Batch.Holds(write);
            write.Done.TrySetException(new StoreUnavailableException(failure) { MayBeKept = mayBeKept });
        }
    }

    private static void Refuse(IEnumerable<PendingWrite> batch, Exception error)
    {
        foreach (var write in batch)
            write.Done.TrySetException(error);
    }

    private void FlushIfMany(int measurements)
    {
        _sinceFlush += measurements;
        if (_sinceFlush >= EarlyFlush && _commands.Count == 0 && !clock.IsInDoubt && _flushes.IsFree)
            _commands.Enqueue(new Command(null, IsLast: false) { MayBeSkipped = true });
    }

    private void Replay(List<JournalEntry> entries)
    {
        foreach (var measurement in entries.SelectMany(entry => entry.Measurements))
        {
            _sinceFlush++;
            var fault = _aggregate.Find(measurement, out var series);
            if (fault is null)
                _aggregate.Apply(series!, measurement);
            else if (measurement.IsItem)
                _refusedInReplay.Add(new LedgerMove(IntakeBatch.LaneOf(measurement), Account.Rejected, 1, fault));
        }
    }

    private async Task FlushReplayAsync(long sequence, TelemetryOptions options)
    {
        // How long it took to come together is not known: as long as between any two flushes.
        var time = _flushes.Next() with
        {
            Interval = (long)options.FlushInterval.TotalSeconds,
        };
        var snapshot = _aggregate.Take(time.Second, time.Interval);
        var flush = new Flush([], snapshot, time, sequence, [], 0, []);
        await KeepFlushAsync(flush, Encoder.Encode(snapshot, options)).ConfigureAwait(false);
        _sinceFlush = 0;
    }
}
