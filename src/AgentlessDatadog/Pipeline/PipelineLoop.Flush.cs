using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <content>From a flush to its requests in the outbox.</content>
internal sealed partial class PipelineLoop
{
    // How long a change of config waits for a second, at most.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

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
            else if (command.Next is not null && store.Error is { } failure)
            {
                _commands.Dequeue().Done.SetException(new StoreUnavailableException($"{failure} Nothing was changed."));
            }
            else if (!HasTime() || (command.MayBeSkipped && !_flushes.IsFree))
            {
                LeaveOut(_commands.Dequeue());
                // What is too old is given up all the same.
                await expiry.LookAsync(_options.QueueMaxBytes).ConfigureAwait(false);
            }
            else if (_flushes.Wait > TimeSpan.Zero)
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
        if (clock.Step != TimeSpan.Zero)
            hooks.AskTime();
        if (clock.IsInDoubt)
            return false;
        if (_flushes.GiveBack())
            logger.LogWarning("Flushes were stamped ahead of Datadog's clock: what waits of them is given up");
        _fault =
            _flushes.Wait <= LongestWait
                ? null
                : $"This machine's clock was set back: points up to {_flushes.LastTaken:yyyy-MM-dd HH:mm:ss} UTC may be at Datadog, and "
                    + "the flush is held until then, for a second point would take the place of the first.";
        return _fault is null;
    }

    // What it would have taken is in the next one, or in the journal for the next process.
    private void LeaveOut(Command command)
    {
        if (command.IsLast)
            _inbox.Writer.TryComplete();
        if (command.MayBeSkipped || command.IsLast)
            command.Done.SetResult();
        else
            command.Done.SetException(new StoreUnavailableException($"{Held} Nothing was changed."));
    }

    private void WaitForSecond()
    {
        if (_waitsForSecond)
            return;
        _waitsForSecond = true;
        _ = WaitAsync(_flushes.Wait);

        async Task WaitAsync(TimeSpan wait)
        {
            await Task.Delay(wait, clock).ConfigureAwait(false);
            _inbox.Writer.TryWrite(_secondIsFree);
        }
    }

    private async Task BeginFlushAsync()
    {
        var commands = Command.TakeShared(_commands, changes: store.Error is null);
        try
        {
            _flush = await TakeSnapshotAsync(commands).ConfigureAwait(false);
            Encode(_flush);
        }
        // Whoever waits for the flush must learn that it was not made; the next one takes its place.
        catch (Exception error)
        {
            logger.LogError(error, "A flush could not be made");
            commands.ForEach(command => command.Done.TrySetException(error));
            if (commands[^1].IsLast)
                _inbox.Writer.TryComplete();
        }
    }

    private async Task<Flush> TakeSnapshotAsync(List<Command> commands)
    {
        var isLast = commands[^1].IsLast;
        // While the store fails, all else waits for it: sent from memory, it would count twice after a kill.
        var gaugesAlone = store.Error is not null;
        var time = _flushes.Next();
        if (_options.Metrics)
        {
            if (!isLast)
                await ObserveAsync(DateTimeOffset.FromUnixTimeSeconds(time.Second)).ConfigureAwait(false);
            hooks.Report();
        }
        var snapshot = _aggregate.Take(time.Second, time.Interval, gaugesAlone);
        if (!_options.Metrics)
            snapshot = snapshot with { Series = default, Timed = [] };
        _sinceFlush = 0;
        if (gaugesAlone)
            return new Flush(commands, snapshot, time, _flushedSequence, [], 0, []);
        var (summaries, folded) = _fold.Summaries(time.Now, isLast);
        var (told, lossEvent) = outbox.ExpiredReport.Tell(_options.Destination, isLast);
        if (lossEvent is not null)
            summaries.Add(lossEvent);
        return new Flush(commands, snapshot, time, _lastSequence, summaries, folded, told);
    }

    // On another thread, so that one that hangs costs its own levels alone.
    private async Task ObserveAsync(DateTimeOffset second)
    {
        if (!_observing.IsCompleted)
            return;
        var left = _leaveObservation.Next;
        Observing.Beat();
        _observing = Task.Run(() => hooks.Observe(second));
        await Task.WhenAny(_observing, left).ConfigureAwait(false);
        Observing.Rest();
    }

    private void Encode(Flush flush)
    {
        var options = _options;
        Encoding.Beat();
        _ = Task.Run(() => _inbox.Writer.TryWrite(Encoded.Of(flush, options, Encoder)));
    }

    private async Task BookAsync(Flush flush, Encoded encoded)
    {
        _flush = null;
        Encoding.Rest();
        try
        {
            await KeepFlushAsync(flush, encoded.Requests ?? throw encoded.Error!).ConfigureAwait(false);
            if (flush.Next is { } next)
            {
                // What handles were set to since the flush was meant for the far end before.
                if (next.Destination != _options.Destination)
                    _aggregate.Take(flush.Snapshot.Second, flush.Snapshot.Interval);
                Configure(next);
            }
        }
        // What counts waits for the store, and the gauges go on without it.
        catch (StoreUnavailableException)
        {
            if (!flush.Snapshot.IsKept)
                _aggregate.Restore(flush.Snapshot);
            _commands = new Queue<Command>(flush.Commands.Concat(_commands));
            return;
        }
        // The flush is merged back and the next one takes it along; the options stay as they were.
        catch (Exception error)
        {
            logger.LogError(error, "A flush could not be kept, the next one carries it");
            if (!flush.Snapshot.IsKept)
                _aggregate.Restore(flush.Snapshot);
            flush.Commands.ForEach(command => command.Done.TrySetException(error));
        }
        if (flush.IsLast)
            _inbox.Writer.TryComplete();
        flush.Commands.ForEach(command => command.Done.TrySetResult());
        await expiry.LookAsync(_options.QueueMaxBytes).ConfigureAwait(false);
    }

    private async Task KeepFlushAsync(Flush flush, EncodedFlush encoded)
    {
        encoded.Payloads.AddRange(flush.Summaries.Select(summary => Encoder.Encode(summary, _options)));
        if (flush.Summaries.Count > 0)
            encoded.Moves.Add(new LedgerMove(Lane.Events, Account.Queued, flush.Summaries.Count));
        if (flush.Folded > 0)
            encoded.Moves.Add(new LedgerMove(Lane.Events, Account.Overflowed, flush.Folded));
        if (flush.Sequence != _flushedSequence)
            encoded.Moves.AddRange(_refusedInReplay);
        if (store.Error is not null && flush.TakesNothingBeyond(_flushedSequence))
        {
            outbox.AddInMemory(encoded.Payloads, encoded.Moves);
            Flushed(flush, encoded);
            return;
        }
        // By a clock that nobody has confirmed, all keys could be too old.
        var forget = _seen.Forget(clock.IsKnown ? flush.Time.Now.ToUnixTimeSeconds() : 0);
        var write = new JournalFlush(flush.Time.Second, flush.Sequence, encoded.Payloads, encoded.Moves, forget)
        {
            Told = flush.Told,
        };
        var isEmpty = encoded.Payloads.Count == 0 && flush.TakesNothingBeyond(_flushedSequence);
        var late = new LateFlush(flush, encoded, write);
        if (!isEmpty && !await WriteAsync(s => s.FlushAsync(write, default), late).ConfigureAwait(false))
        {
            flush.Snapshot.IsKept = true;
            _flushes.Keep(flush.Time);
            // Said twice they add nothing, and nobody knows when the store answers.
            _aggregate.Restore(flush.Snapshot, gaugesAlone: true);
            throw new StoreUnavailableException(Unsure) { MayBeKept = true };
        }
        Durable(late);
    }

    private void Durable(LateFlush late)
    {
        var (flush, encoded, _) = late;
        if (flush.Sequence != _flushedSequence)
            _refusedInReplay.Clear();
        _flushedSequence = flush.Sequence;
        ledger.Book(encoded.Moves);
        outbox.Add(encoded.Payloads.Select(payload => payload.Header));
        _fold.Forget(flush.Time.Now, flush.IsLast);
        outbox.ExpiredReport.Add(flush.Told);
        Flushed(flush, encoded);
    }

    private void Flushed(Flush flush, EncodedFlush encoded)
    {
        flush.Snapshot.IsKept = true;
        _flushes.Keep(flush.Time);
        table.Prune(flush.Time.Second);
        _lastFlush = new FlushStatus(
            DateTimeOffset.FromUnixTimeSeconds(flush.Time.Second),
            encoded.Points,
            encoded.Payloads.Count,
            encoded.Payloads.Sum(payload => (long)payload.Header.Size),
            clock.GetElapsedTime(flush.Time.Stamp)
        );
    }

    private void Configure(TelemetryOptions next)
    {
        _options = next;
        hooks.Configured(next);
    }
}
