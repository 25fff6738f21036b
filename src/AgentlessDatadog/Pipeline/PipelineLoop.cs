using System.Threading.Channels;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// The one loop that owns the aggregate. Whatever has arrived is one batch and one commit; a command is a flush, and what
/// follows it. While a flush is being encoded, on another thread, it goes on committing batches.
/// </summary>
internal sealed class PipelineLoop
{
    // Beyond this many measurements, or bytes of spans and log entries, a flush comes early, so that what no flush has taken
    // stays bounded.
    private const int EarlyFlush = 200_000;
    private const long EarlyFlushBytes = 16 * 1024 * 1024;

    // Nor does more than this wait for a flush that is held: whoever has more keeps it.
    private const int MostHeld = 1_000_000;
    private const long MostBytesHeld = 64 * 1024 * 1024;

    private const string Unsure = "The store does not answer: it may have been kept or not.";

    // How long a change of config waits for a second, at most.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly Journal _journal;
    private readonly Expiry _expiry;
    private readonly DatadogClock _clock;
    private readonly LoopHooks _hooks;
    private readonly ILogger _logger;
    private readonly Channel<LoopMessage> _inbox = Channel.CreateUnbounded<LoopMessage>(new() { SingleReader = true });
    private volatile bool _stopping;
    private volatile string? _heldBySecond;

    // Everything below belongs to the loop.
    private readonly Aggregate _aggregate;
    private readonly FlushEncoder _encoder;
    private readonly Flusher _flusher;
    private readonly List<PendingWrite> _held = [];
    private Queue<FlushCommand> _commands = [];
    private TelemetryOptions _options = new();
    private Flush? _flush;
    private int _sinceFlush;
    private bool _waitsForSecond;

    public PipelineLoop(
        Journal journal,
        SeriesTable table,
        Expiry expiry,
        DatadogClock clock,
        LoopHooks hooks,
        ILogger logger
    )
    {
        (_journal, _expiry, _clock, _hooks, _logger) = (journal, expiry, clock, hooks, logger);
        _aggregate = new Aggregate(table);
        _encoder = new FlushEncoder(journal.Outbox.NextId);
        _flusher = new Flusher(_aggregate, journal, _encoder, clock, hooks);
        journal.OnLoop = step => _inbox.Writer.TryWrite(new LoopMessage.Step(step));
    }

    /// <summary>Something that came is being dealt with.</summary>
    public Heartbeat Working { get; } = new();

    /// <summary>Gauges are being observed.</summary>
    public GaugeObservation Observation => _flusher.Observation;

    /// <summary>A flush is being encoded.</summary>
    public Heartbeat Encoding => _flusher.Encoding;

    public FlushStatus? LastFlush => _flusher.Last;

    /// <summary>Why the flush is held, in a sentence; null while it is not.</summary>
    public string? Held => _clock.IsInDoubt ? _clock.Error : _heldBySecond;

    /// <summary>Completes when what is handed in is durable.</summary>
    public Task KeepAsync(PendingWrite write) =>
        _stopping ? Task.FromException(Stopped()) : Post(new LoopMessage.Write(write), write.Done);

    /// <summary>Flushes as soon as a second is free; then uses the next options, if any.</summary>
    /// <exception cref="StoreUnavailableException">There will be none for a while; nothing has changed.</exception>
    public Task FlushAsync(TelemetryOptions? next = null, bool isLast = false)
    {
        _stopping |= isLast;
        var command = new FlushCommand(next, isLast);
        return Post(new LoopMessage.Command(command), command.Done);
    }

    /// <summary>Flushes, or leaves it to the next time when no second is free.</summary>
    public Task FlushEarlyAsync()
    {
        var command = new FlushCommand(null, IsLast: false) { MayBeSkipped = true };
        return Post(new LoopMessage.Command(command), command.Done);
    }

    /// <summary>Takes nothing more; flushes go on.</summary>
    public void Close() => _stopping = true;

    /// <summary>Encodes the flush under way once more; the first to end counts.</summary>
    public void RestartEncoding() =>
        _inbox.Writer.TryWrite(
            new LoopMessage.Step(() =>
            {
                if (_flush is { } flush)
                {
                    Encode(flush);
                }

                return Task.CompletedTask;
            })
        );

    /// <summary>Ends the loop without a flush.</summary>
    public void Abandon() => _inbox.Writer.TryComplete();

    /// <summary>
    /// Brings back what an earlier process left. Its measurements are in the first flush: it has a second of its own, and
    /// by then Datadog may have told the time. What came for another far end than the configured one is flushed at once.
    /// </summary>
    public async Task StartAsync(StoreContents contents, TelemetryOptions options)
    {
        _options = options;
        _flusher.Seconds.Start(contents.LastFlush);
        _journal.Start(contents);
        for (var from = 0; from < contents.Journal.Count; )
        {
            var destination = contents.Journal[from].Destination;
            var run = contents.Journal.Skip(from).TakeWhile(entry => entry.Destination == destination).ToList();
            run.ForEach(Replay);
            from += run.Count;
            if (destination != options.Destination || from < contents.Journal.Count)
            {
                var before = options with { Destination = destination };
                await _flusher.FlushReplayAsync(run[^1].Sequence, before).ConfigureAwait(false);
                _sinceFlush = 0;
            }
        }
        // What is queued and no request of the outbox had been folded.
        var events = contents.Outbox.Where(header => header.Lane == Lane.Events).Sum(header => header.Units);
        _aggregate.Fold.Start(_journal.Outbox.Ledger.Of(Lane.Events).Queued - events);
        _hooks.Configured(options);
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
                    _logger.LogCritical(error, "The loop failed at {Message} and goes on", message.GetType().Name);
                }
            }
            Working.Rest();
        }
        _held.ForEach(write => write.Done.TrySetException(Stopped()));
        foreach (var command in _commands.Concat(_flush?.Commands ?? []))
        {
            command.Done.TrySetException(Stopped());
        }
    }

    private static InvalidOperationException Stopped() => new("The pipeline has been stopped.");

    private Task Post(LoopMessage message, TaskCompletionSource done)
    {
        if (!_inbox.Writer.TryWrite(message))
        {
            done.SetException(Stopped());
        }

        return done.Task;
    }

    private async Task HandleAsync(LoopMessage message)
    {
        switch (message)
        {
            case LoopMessage.Command(var command):
                _commands.Enqueue(command);
                break;
            case LoopMessage.Step(var run):
                await run().ConfigureAwait(false);
                break;
            case LoopMessage.Encoded encoded:
                if (encoded.Flush == _flush)
                {
                    await BookAsync(_flush, encoded).ConfigureAwait(false);
                }

                if (_held.Count > 0 && !_stopping)
                {
                    await CommitHeldAsync().ConfigureAwait(false);
                }

                break;
            case LoopMessage.Write(var first):
                TakeWrites(first);
                // What comes between a flush and the options after it belongs to these.
                if (_flush is null or { Next: null, IsLast: false })
                {
                    await CommitHeldAsync().ConfigureAwait(false);
                }

                break;
        }
        await GoOnAsync().ConfigureAwait(false);
    }

    private void TakeWrites(PendingWrite first)
    {
        _held.Add(first);
        while (_inbox.Reader.TryPeek(out var next) && next is LoopMessage.Write(var more))
        {
            _inbox.Reader.TryRead(out _);
            _held.Add(more);
        }
    }

    private async Task CommitHeldAsync()
    {
        List<PendingWrite> writes = [.. _held];
        _held.Clear();
        if ((_sinceFlush >= MostHeld || _aggregate.SignalBytes >= MostBytesHeld) && Held is { } held)
        {
            Refuse(writes.Where(write => write.Waits), new StoreUnavailableException(held));
            writes.RemoveAll(write => write.Waits);
        }
        try
        {
            if (_journal.Error is { } error)
            {
                RefuseWhileFailing(writes, error);
            }
            else
            {
                await CommitAsync(writes).ConfigureAwait(false);
            }
        }
        catch (StoreUnavailableException error)
        {
            Refuse(writes, error);
        }
        // Whatever went wrong, those who wait must learn that nothing was kept, and the loop goes on.
        catch (Exception error)
        {
            _logger.LogError(error, "A batch could not be kept");
            Refuse(writes, error);
        }
        writes.ForEach(write => write.Done.TrySetResult());
    }

    private async Task CommitAsync(List<PendingWrite> writes)
    {
        var batch = new IntakeBatch(_aggregate, _journal, _encoder, _options, _clock.GetUtcNow());
        writes.ForEach(batch.Admit);
        foreach (var (write, error) in batch.Refused)
        {
            write.Done.TrySetException(error);
        }

        if (batch.Result(_journal.LastSequence + 1) is not { } append)
        {
            return;
        }

        if (!await _journal.AppendAsync(append, isLate => Count(batch, append, isLate)).ConfigureAwait(false))
        {
            throw new StoreUnavailableException(Unsure) { MayBeDurable = true };
        }

        await _expiry.LookAtRoomAsync(_options.QueueMaxBytes).ConfigureAwait(false);
    }

    private void Count(IntakeBatch batch, JournalAppend append, bool isLate)
    {
        // Series may have gone meanwhile.
        if (isLate)
        {
            _flusher.Replay(append.Journal);
        }
        else
        {
            batch.Apply();
        }

        batch.Remember();
        _journal.Outbox.Ledger.Book(append.Moves);
        _journal.Outbox.Add(append.Requests.Select(request => request.Header));
        _sinceFlush += append.Journal.Measurements.Count;
        var isMuch = _sinceFlush >= EarlyFlush || _aggregate.SignalBytes >= EarlyFlushBytes;
        if (isMuch && _commands.Count == 0 && !_clock.IsInDoubt && _flusher.Seconds.IsFree)
        {
            _commands.Enqueue(new FlushCommand(null, IsLast: false) { MayBeSkipped = true });
        }
    }

    private void Replay(JournalEntry entry)
    {
        _flusher.Replay(entry);
        _sinceFlush += entry.Measurements.Count;
    }

    // What the store is still at may be the same, told once more.
    private void RefuseWhileFailing(List<PendingWrite> writes, string error)
    {
        foreach (var write in writes)
        {
            var mayBeDurable = _journal.Unanswered is { } append && IntakeBatch.Holds(append, write);
            write.Done.TrySetException(new StoreUnavailableException(error) { MayBeDurable = mayBeDurable });
        }
    }

    private static void Refuse(IEnumerable<PendingWrite> writes, Exception error)
    {
        foreach (var write in writes)
        {
            write.Done.TrySetException(error);
        }
    }

    private async Task GoOnAsync()
    {
        while (_flush is null && _commands.TryPeek(out var command))
        {
            if (command is { Next: { } next, IsLast: false } && !next.Alters(_options))
            {
                Configure(next);
                _commands.Dequeue().Done.SetResult();
            }
            // What was measured so far would go out under the new options.
            else if (command.Next is not null && _journal.Error is { } error)
            {
                _commands.Dequeue().Done.SetException(new StoreUnavailableException($"{error} Nothing was changed."));
            }
            else if (!HasTime() || (command.MayBeSkipped && !_flusher.Seconds.IsFree))
            {
                LeaveOut(_commands.Dequeue());
                // What is too old is given up all the same.
                await _expiry.LookAsync(_options.QueueMaxBytes).ConfigureAwait(false);
            }
            else if (_flusher.Seconds.Wait > TimeSpan.Zero)
            {
                WaitForSecond();
                return;
            }
            else
            {
                await BeginFlushAsync().ConfigureAwait(false);
            }
        }
    }

    // Whether the clock says when a flush would be. Where it is in doubt, Datadog's is asked.
    private bool HasTime()
    {
        if (_clock.Step != TimeSpan.Zero)
        {
            _hooks.AskTime();
        }

        if (_clock.IsInDoubt)
        {
            return false;
        }

        if (_flusher.Seconds.Release())
        {
            _logger.LogWarning("Flushes were stamped ahead of Datadog's clock: what waits of them is given up");
        }

        _heldBySecond =
            _flusher.Seconds.Wait <= LongestWait
                ? null
                : $"This machine's clock was set back: points up to {_flusher.Seconds.LastTaken:yyyy-MM-dd HH:mm:ss} UTC may be at "
                    + "Datadog, and the flush is held until then, for a second point would take the place of the first.";
        return _heldBySecond is null;
    }

    // What it would have taken is in the next one, or in the journal for the next process.
    private void LeaveOut(FlushCommand command)
    {
        if (command.IsLast)
        {
            _inbox.Writer.TryComplete();
        }

        if (command.MayBeSkipped || command.IsLast)
        {
            command.Done.SetResult();
        }
        else
        {
            command.Done.SetException(new StoreUnavailableException($"{Held} Nothing was changed."));
        }
    }

    private void WaitForSecond()
    {
        if (_waitsForSecond)
        {
            return;
        }

        _waitsForSecond = true;
        _ = WaitAsync(_flusher.Seconds.Wait);

        async Task WaitAsync(TimeSpan wait)
        {
            await Task.Delay(wait, _clock).ConfigureAwait(false);
            _inbox.Writer.TryWrite(
                new LoopMessage.Step(() =>
                {
                    _waitsForSecond = false;
                    return Task.CompletedTask;
                })
            );
        }
    }

    private async Task BeginFlushAsync()
    {
        var commands = FlushCommand.TakeShared(_commands, changes: _journal.Error is null);
        try
        {
            _flush = await _flusher.TakeAsync(commands, _options).ConfigureAwait(false);
            _sinceFlush = 0;
            Encode(_flush);
        }
        // Whoever waits for the flush must learn that it was not made; the next one takes its place.
        catch (Exception error)
        {
            _logger.LogError(error, "A flush could not be made");
            commands.ForEach(command => command.Done.TrySetException(error));
            if (commands[^1].IsLast)
            {
                _inbox.Writer.TryComplete();
            }
        }
    }

    private void Encode(Flush flush) => _flusher.Encode(flush, _options, message => _inbox.Writer.TryWrite(message));

    private async Task BookAsync(Flush flush, LoopMessage.Encoded encoded)
    {
        _flush = null;
        Encoding.Rest();
        try
        {
            var requests = encoded.Requests ?? throw encoded.Error!;
            await _flusher.KeepAsync(flush, requests, _options).ConfigureAwait(false);
            if (flush.Next is { } next)
            {
                // What handles were set to since the flush was meant for the far end before.
                if (next.Destination != _options.Destination)
                {
                    _aggregate.Take(flush.Snapshot.Second, flush.Snapshot.Interval);
                }

                Configure(next);
            }
        }
        // What counts waits for the store, and the gauges go on without it.
        catch (StoreUnavailableException)
        {
            Restore(flush);
            _commands = new Queue<FlushCommand>(flush.Commands.Concat(_commands));
            return;
        }
        // The snapshot is merged back and the next flush takes it along; the options stay as they were.
        catch (Exception error)
        {
            _logger.LogError(error, "A flush could not be kept, the next one carries it");
            Restore(flush);
            flush.Commands.ForEach(command => command.Done.TrySetException(error));
        }
        if (flush.IsLast)
        {
            _inbox.Writer.TryComplete();
        }

        flush.Commands.ForEach(command => command.Done.TrySetResult());
        await _expiry.LookAsync(_options.QueueMaxBytes).ConfigureAwait(false);
    }

    private void Restore(Flush flush)
    {
        if (!flush.Snapshot.IsDurable)
        {
            _aggregate.Restore(flush.Snapshot);
        }
    }

    private void Configure(TelemetryOptions next)
    {
        _options = next;
        _hooks.Configured(next);
    }
}
