using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>
/// The one loop that owns the aggregate. Whatever has arrived is one batch and one commit; a command is a cut, and what
/// follows it. While a cut is being encoded, on another thread, it goes on committing batches.
/// </summary>
internal sealed class AggregateLoop(
    ITelemetryStore store,
    SeriesTable table,
    Outbox outbox,
    Ledger ledger,
    TimeProvider clock,
    ILogger logger,
    AggregateLoop.Hooks hooks
)
{
    // Beyond this many measurements a cut comes early, so that what no cut has taken stays bounded.
    private const int EarlyCut = 200_000;

    private readonly Channel<object> _inbox = Channel.CreateUnbounded<object>(new() { SingleReader = true });
    private volatile FlushStatus? _lastFlush;
    private volatile bool _stopping;
    private long _lastPayload;

    // Everything below belongs to the loop.
    private readonly Aggregate _aggregate = new(table);
    private readonly CutClock _cuts = new(clock);
    private readonly SeenIds _seen = new();
    private readonly EventFold _fold = new();
    private readonly Queue<Command> _commands = [];
    private readonly List<Arrival> _held = [];
    private IntakeOptions _options = new();
    private Flush? _flush;
    private long _lastSequence;
    private long _lastCutSequence;
    private int _sinceCut;

    /// <summary>What else happens on the loop.</summary>
    /// <param name="BeforeCut">Called with the second of each cut, before it.</param>
    /// <param name="Configured">Called with the options that hold from then on.</param>
    public sealed record Hooks(Action<DateTimeOffset> BeforeCut, Action<IntakeOptions> Configured);

    public FlushStatus? LastFlush => _lastFlush;

    private CutEncoder Encoder => new(() => Interlocked.Increment(ref _lastPayload));

    /// <summary>Completes when the measurements and events are in the store.</summary>
    public Task KeepAsync(Arrival arrival) => _stopping ? Task.FromException(Stopped()) : Post(arrival, arrival.Done);

    /// <summary>Cuts; then uses the next options, if any.</summary>
    public Task CutAsync(IntakeOptions? next = null, bool isLast = false)
    {
        _stopping |= isLast;
        var command = new Command(next, isLast);
        return Post(command, command.Done);
    }

    /// <summary>Ends the loop without a cut.</summary>
    public void Abandon() => _inbox.Writer.TryComplete();

    /// <summary>
    /// Brings back what an earlier process left. Its measurements are cut at once, each for the far end that was
    /// configured when they came.
    /// </summary>
    public async Task StartAsync(StoreContents contents, IntakeOptions options)
    {
        _options = options;
        _cuts.Start(contents.LastCut);
        _lastPayload = contents.LastPayload;
        _lastSequence = contents.LastSequence;
        foreach (var id in contents.Seen)
            _seen.Add(id);
        for (var from = 0; from < contents.Journal.Count; )
        {
            var destination = contents.Journal[from].Destination;
            var run = contents.Journal.Skip(from).TakeWhile(entry => entry.Destination == destination).ToList();
            await ReplayAsync(run, options with { Destination = destination }).ConfigureAwait(false);
            from += run.Count;
        }
        _lastCutSequence = _lastSequence;
        hooks.Configured(options);
    }

    public async Task RunAsync()
    {
        while (await _inbox.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_inbox.Reader.TryRead(out var message))
                await HandleAsync(message).ConfigureAwait(false);
        }
        _held.ForEach(arrival => arrival.Done.TrySetException(Stopped()));
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
        else if (message is Encoded encoded)
        {
            await BookAsync(_flush!, encoded).ConfigureAwait(false);
            if (_held.Count > 0 && !_stopping)
                await CommitHeldAsync().ConfigureAwait(false);
        }
        else
        {
            TakeArrivals((Arrival)message);
            // What comes between a cut and the options after it belongs to these.
            if (_flush is null or { Next: null, IsLast: false })
                await CommitHeldAsync().ConfigureAwait(false);
        }
        if (_flush is null && _commands.Count > 0)
            BeginFlush();
    }

    private void TakeArrivals(Arrival first)
    {
        _held.Add(first);
        while (_inbox.Reader.TryPeek(out var next) && next is Arrival && _inbox.Reader.TryRead(out next))
            _held.Add((Arrival)next);
    }

    private async Task CommitHeldAsync()
    {
        Arrival[] batch = [.. _held];
        _held.Clear();
        try
        {
            var admission = new Admission(_aggregate, _seen, _fold, Encoder, _options, clock.GetUtcNow());
            foreach (var arrival in batch)
                admission.Admit(arrival);
            if (admission.Result(_lastSequence + 1) is { } arrivals)
            {
                await store.AppendAsync(arrivals, CancellationToken.None).ConfigureAwait(false);
                _lastSequence++;
                admission.Apply();
                ledger.Book(arrivals.Moves);
                outbox.Add(arrivals.Payloads.Select(payload => payload.Header));
                CutEarly(arrivals.Journal.Measurements.Count);
                if (outbox.Bytes > _options.QueueMaxBytes)
                    await ExpireAsync().ConfigureAwait(false);
            }
        }
        // Whatever went wrong, those who wait must learn that nothing was kept, and the loop goes on.
        catch (Exception error)
        {
            logger.LogError(error, "A batch could not be kept");
            foreach (var arrival in batch)
                arrival.Done.TrySetException(error);
        }
        foreach (var arrival in batch)
            arrival.Done.TrySetResult();
    }

    private void CutEarly(int measurements)
    {
        _sinceCut += measurements;
        if (_sinceCut >= EarlyCut && _commands.Count == 0 && _cuts.IsFree)
            _commands.Enqueue(new Command(null, IsLast: false));
    }

    private void BeginFlush()
    {
        var commands = Command.TakeShared(_commands);
        var time = _cuts.Next();
        if (_options.Metrics)
            hooks.BeforeCut(DateTimeOffset.FromUnixTimeSeconds(time.Second));
        var cut = _aggregate.Take(time.Second, time.Interval);
        if (!_options.Metrics)
            cut = cut with { Series = default, Timed = [] };
        var summaries = _fold.Summaries(time.Now, commands[^1].IsLast);
        _flush = new Flush(commands, cut, time, _lastSequence, summaries);
        _sinceCut = 0;
        var options = _options;
        _ = Task.Run(() => _inbox.Writer.TryWrite(Encoded.Of(cut, options, Encoder)));
    }

    private async Task BookAsync(Flush flush, Encoded encoded)
    {
        _flush = null;
        try
        {
            await KeepFlushAsync(flush, encoded.Cut ?? throw encoded.Error!).ConfigureAwait(false);
            if (flush.Next is { } next)
                Configure(next, flush.Cut);
        }
        // The cut is merged back and the next one takes it along; the options stay as they were.
        catch (Exception error)
        {
            logger.LogError(error, "A flush could not be kept, the next one carries it");
            if (!flush.Cut.IsKept)
                _aggregate.Restore(flush.Cut);
            flush.Commands.ForEach(command => command.Done.TrySetException(error));
        }
        if (flush.IsLast)
            _inbox.Writer.TryComplete();
        flush.Commands.ForEach(command => command.Done.TrySetResult());
        await ExpireAsync().ConfigureAwait(false);
    }

    private async Task KeepFlushAsync(Flush flush, EncodedCut encoded)
    {
        encoded.Payloads.AddRange(flush.Summaries.Select(summary => Encoder.Encode(summary, _options)));
        if (flush.Summaries.Count > 0)
            encoded.Moves.Add(new LedgerMove(Lane.Events, Account.Queued, flush.Summaries.Count));
        await KeepCutAsync(flush.Cut, flush.Time, flush.Sequence, encoded).ConfigureAwait(false);
        _fold.Forget(flush.Time.Now, flush.IsLast);
        table.Prune(flush.Time.Second);
        _lastFlush = new FlushStatus(
            DateTimeOffset.FromUnixTimeSeconds(flush.Time.Second),
            encoded.Points,
            encoded.Payloads.Count,
            encoded.Payloads.Sum(payload => (long)payload.Header.Size),
            clock.GetElapsedTime(flush.Time.Stamp)
        );
    }

    private void Configure(IntakeOptions next, TakenCut cut)
    {
        // What handles were set to since the cut was meant for the far end before.
        if (next.Destination != _options.Destination)
            _aggregate.Take(cut.Second, cut.Interval);
        _options = next;
        hooks.Configured(next);
    }

    private async Task KeepCutAsync(TakenCut cut, CutTime time, long sequence, EncodedCut encoded)
    {
        if (encoded.Payloads.Count > 0 || sequence != _lastCutSequence)
        {
            var known = _seen.Forget(time.Now.ToUnixTimeSeconds());
            var kept = new Cut(time.Second, sequence, encoded.Payloads, encoded.Moves, known);
            await store.CutAsync(kept, CancellationToken.None).ConfigureAwait(false);
        }
        cut.IsKept = true;
        _cuts.Keep(time);
        _lastCutSequence = sequence;
        ledger.Book(encoded.Moves);
        outbox.Add(encoded.Payloads.Select(payload => payload.Header));
    }

    private async Task ReplayAsync(List<JournalEntry> entries, IntakeOptions options)
    {
        List<LedgerMove> refused = [];
        foreach (var measurement in entries.SelectMany(entry => entry.Measurements))
        {
            var fault = _aggregate.Find(measurement, out var series);
            if (fault is null)
                _aggregate.Apply(series!, measurement);
            else if (measurement.IsItem)
                refused.Add(new LedgerMove(Admission.LaneOf(measurement), Account.Rejected, 1, fault));
        }
        // How long it took to come together is not known: as long as between any two cuts.
        var time = _cuts.Next() with
        {
            Interval = (long)options.FlushInterval.TotalSeconds,
        };
        var cut = _aggregate.Take(time.Second, time.Interval);
        var encoded = Encoder.Encode(cut, options);
        encoded.Moves.AddRange(refused);
        await KeepCutAsync(cut, time, entries[^1].Sequence, encoded).ConfigureAwait(false);
    }

    private async Task ExpireAsync()
    {
        try
        {
            await outbox.ExpireAsync(_options.QueueMaxBytes).ConfigureAwait(false);
        }
        // What could not be given up waits for the next flush.
        catch (Exception error)
        {
            logger.LogError(error, "Old requests could not be taken out of the queue");
        }
    }
}
