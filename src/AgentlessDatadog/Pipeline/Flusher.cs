using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// Makes requests of what was measured: a snapshot, its encoding on another thread, and one transaction that puts the requests
/// in the place of what the journal holds. While the store fails it takes gauges alone, and they are sent from memory: all
/// else would count twice after a kill. Belongs to the loop.
/// </summary>
internal sealed class Flusher(
    Aggregate aggregate,
    Journal journal,
    FlushEncoder encoder,
    DatadogClock clock,
    LoopHooks hooks
)
{
    private const string Unsure = "The store does not answer: it may have been kept or not.";

    private readonly List<LedgerMove> _refusedInReplay = [];
    private volatile FlushStatus? _last;

    /// <summary>When the next flush may be.</summary>
    public FlushClock Seconds { get; } = new(clock);

    public GaugeObservation Observation { get; } = new(hooks.Observe);

    /// <summary>A flush is being encoded.</summary>
    public Heartbeat Encoding { get; } = new();

    /// <summary>The last one. Any thread.</summary>
    public FlushStatus? Last => _last;

    /// <summary>Takes back what the journal of an earlier process holds.</summary>
    public void Replay(JournalEntry entry)
    {
        aggregate.Add(entry.Signals);
        foreach (var measurement in entry.Measurements)
        {
            var error = aggregate.Find(measurement, out var series);
            if (error is null)
            {
                aggregate.Apply(series!, measurement);
            }
            else if (measurement.IsItem)
            {
                _refusedInReplay.Add(new LedgerMove(IntakeBatch.LaneOf(measurement), Account.Rejected, 1, error));
            }
        }
    }

    /// <summary>Flushes at once what was replayed up to a sequence.</summary>
    /// <exception cref="StoreUnavailableException">It could not be made durable, or nobody knows.</exception>
    public Task FlushReplayAsync(long sequence, TelemetryOptions options)
    {
        // How long it took to come together is not known: as long as between any two flushes.
        var time = Seconds.Next() with
        {
            Interval = (long)options.FlushInterval.TotalSeconds,
        };
        var snapshot = aggregate.Take(time.Second, time.Interval);
        var flush = new Flush([], snapshot, time, sequence, [], 0, []);
        return KeepAsync(flush, encoder.Encode(snapshot, options), options);
    }

    /// <summary>Takes what there is, for whoever asked.</summary>
    public async Task<Flush> TakeAsync(List<FlushCommand> commands, TelemetryOptions options)
    {
        var isLast = commands[^1].IsLast;
        var gaugesAlone = journal.Error is not null;
        var time = Seconds.Next();
        if (options.Metrics)
        {
            if (!isLast)
            {
                await Observation.RunAsync(DateTimeOffset.FromUnixTimeSeconds(time.Second)).ConfigureAwait(false);
            }
            hooks.Report();
        }
        var snapshot = aggregate.Take(time.Second, time.Interval, gaugesAlone);
        if (!options.Metrics)
        {
            snapshot = snapshot with { Series = default, Timed = [] };
        }

        if (gaugesAlone)
        {
            return new Flush(commands, snapshot, time, journal.FlushedSequence, [], 0, []);
        }

        var (summaries, folded) = aggregate.Fold.Summaries(time.Now, isLast);
        var (told, lossEvent) = journal.Outbox.Expired.Tell(options.Destination, isLast);
        if (lossEvent is not null)
        {
            summaries.Add(lossEvent);
        }

        return new Flush(commands, snapshot, time, journal.LastSequence, summaries, folded, told);
    }

    /// <summary>Encodes on another thread. Whatever goes wrong there is an answer, for the loop waits for one.</summary>
    public void Encode(Flush flush, TelemetryOptions options, Action<LoopMessage> post)
    {
        Encoding.Beat();
        _ = Task.Run(() =>
        {
            try
            {
                post(new LoopMessage.Encoded(flush, encoder.Encode(flush.Snapshot, options), null));
            }
            catch (Exception error)
            {
                post(new LoopMessage.Encoded(flush, null, error));
            }
        });
    }

    /// <summary>Makes it durable, or sends it from memory.</summary>
    /// <exception cref="StoreUnavailableException">It could not be made durable, or nobody knows: then it is as soon as it can.</exception>
    public async Task KeepAsync(Flush flush, EncodedFlush encoded, TelemetryOptions options)
    {
        encoded.Requests.AddRange(flush.Summaries.Select(summary => encoder.Encode(summary, options)));
        if (flush.Summaries.Count > 0)
        {
            encoded.Moves.Add(new LedgerMove(Lane.Events, Account.Queued, flush.Summaries.Count));
        }

        if (flush.Folded > 0)
        {
            encoded.Moves.Add(new LedgerMove(Lane.Events, Account.Overflowed, flush.Folded));
        }

        var takesNothing = flush.Sequence == journal.FlushedSequence && flush.Summaries.Count == 0;
        if (!takesNothing)
        {
            encoded.Moves.AddRange(_refusedInReplay);
        }

        if (takesNothing && journal.Error is not null)
        {
            journal.Outbox.AddInMemory(encoded.Requests, encoded.Moves);
            Finish(flush, encoded);
            return;
        }
        if (takesNothing && encoded.Requests.Count == 0)
        {
            Finish(flush, encoded);
            return;
        }
        // By a clock that nobody has confirmed, all keys could be too old.
        var trimKeysBefore = journal.Keys.Trim(clock.IsKnown ? flush.Time.Now.ToUnixTimeSeconds() : 0);
        var write = new JournalFlush(flush.Time.Second, flush.Sequence, encoded.Requests, encoded.Moves, trimKeysBefore)
        {
            Reported = flush.Reported,
        };
        if (await journal.FlushAsync(write, () => Durable(flush, encoded)).ConfigureAwait(false))
        {
            return;
        }

        flush.Snapshot.IsDurable = true;
        Seconds.Keep(flush.Time);
        // Said twice they add nothing, and nobody knows when the store answers.
        aggregate.Restore(flush.Snapshot, gaugesAlone: true);
        throw new StoreUnavailableException(Unsure) { MayBeDurable = true };
    }

    private void Durable(Flush flush, EncodedFlush encoded)
    {
        _refusedInReplay.Clear();
        journal.Outbox.Ledger.Book(encoded.Moves);
        journal.Outbox.Add(encoded.Requests.Select(request => request.Header));
        if (flush.Commands.Count > 0)
        {
            aggregate.Fold.Forget(flush.Time.Now, flush.IsLast);
        }

        journal.Outbox.Expired.Add(flush.Reported);
        Finish(flush, encoded);
    }

    private void Finish(Flush flush, EncodedFlush encoded)
    {
        flush.Snapshot.IsDurable = true;
        Seconds.Keep(flush.Time);
        aggregate.Table.ReleaseIdle(flush.Time.Second);
        _last = new FlushStatus(
            DateTimeOffset.FromUnixTimeSeconds(flush.Time.Second),
            encoded.Points,
            encoded.Requests.Count,
            encoded.Requests.Sum(request => (long)request.Header.Size),
            clock.GetElapsedTime(flush.Time.Stamp)
        );
    }
}
