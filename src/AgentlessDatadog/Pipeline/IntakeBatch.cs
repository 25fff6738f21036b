using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Metrics;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Pipeline;

/// <summary>
/// Decides about everything that arrives: a replay, bad, folded, or kept. One for each batch; belongs to the loop.
/// </summary>
internal sealed class IntakeBatch(
    Aggregate aggregate,
    Journal journal,
    FlushEncoder encoder,
    TelemetryOptions options,
    DateTimeOffset now
)
{
    private readonly List<(Series Series, Measurement Measurement)> _applied = [];
    private readonly List<EncodedSignal> _encoded = [];
    private readonly List<QueuedRequest> _payloads = [];
    private readonly List<LedgerMove> _moves = [];
    private readonly Dictionary<UInt128, SeenKey> _keys = [];
    private readonly Dictionary<Lane, long> _accepted = [];
    private readonly Dictionary<string, int> _ofKind = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _moved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ItemType> _types = new(StringComparer.Ordinal);
    private readonly List<string> _released = [];
    private readonly List<(PendingWrite Write, Exception Error)> _refused = [];
    private bool _hasCanary;

    /// <summary>Of which nothing is kept, and why: a key that belongs to another call, a stream that stands elsewhere.</summary>
    public IReadOnlyList<(PendingWrite Write, Exception Error)> Refused => _refused;

    public static Lane LaneOf(Measurement measurement) =>
        measurement.Type == MetricType.Distribution ? Lane.Distributions : Lane.Metrics;

    /// <summary>Why an item cannot have its type, for its name has had another, also before a restart; null when it can.</summary>
    public static string? TypeError(Measurement measurement, ItemTypes types) =>
        measurement.IsItem && types.Of(measurement.Metric) is { } known
            ? Metric.TypeError(known.Name, known.Type, known.Since, measurement.Type)
            : null;

    public void Admit(PendingWrite write)
    {
        _hasCanary |= write.IsCanary;
        if (write.ReleasedName is { } name)
        {
            Release(write, name);
        }

        if (write.Call is { } call && !Begins(write, call.Key, call.Contents))
        {
            return;
        }

        if (write.Range is { } range && !Moves(write, range))
        {
            return;
        }
        // What is switched off is not buffered.
        if (options.Metrics)
        {
            foreach (var measurement in write.Measurements)
            {
                Admit(measurement);
            }
        }
        foreach (var what in write.Events)
        {
            Admit(what);
        }

        foreach (var signal in write.Encoded)
        {
            Accept(signal.Lane);
        }

        _encoded.AddRange(write.Encoded);
        foreach (var (lane, reason) in write.Rejected)
        {
            Reject(lane, reason);
        }
    }

    /// <summary>Whether something may be in an append: its call is, or something of its stream.</summary>
    public static bool Holds(JournalAppend append, PendingWrite write) =>
        (write.Call is { } call && append.Keys.Any(key => key.Hash == SeenKeys.Of(NameOf(call.Key), 0).Hash))
        || (write.Range is { } range && append.Positions.Any(position => position.Stream == range.Stream));

    /// <summary>What the store has to keep, or null when that is nothing.</summary>
    public JournalAppend? Result(long sequence)
    {
        _moves.InsertRange(0, _accepted.Select(entry => new LedgerMove(entry.Key, Account.Queued, entry.Value)));
        if (_moves.Count + _applied.Count + _payloads.Count + _moved.Count + _released.Count == 0 && !_hasCanary)
        {
            return null;
        }

        var measurements = _applied.Select(applied => applied.Measurement);
        var entry = new JournalEntry(sequence, options.Destination, [.. measurements]) { Signals = _encoded };
        return new JournalAppend(entry, _payloads, [.. _keys.Values], _moves)
        {
            Positions = [.. _moved.Select(stream => new StreamPosition(stream.Key, stream.Value))],
            Types = [.. _types.Values],
            ReleasedNames = _released,
        };
    }

    /// <summary>Makes it count in the next flush, once it is durable.</summary>
    public void Apply()
    {
        aggregate.Add(_encoded);
        foreach (var (series, measurement) in _applied)
        {
            aggregate.Apply(series, measurement);
        }
    }

    /// <summary>Remembers the keys, the streams and the kinds of events, once they are durable.</summary>
    public void Remember()
    {
        foreach (var key in _keys.Values)
        {
            journal.Keys.Add(key);
        }

        foreach (var (kind, count) in _ofKind)
        {
            aggregate.Fold.Add(kind, count, now);
        }

        foreach (var (stream, position) in _moved)
        {
            journal.Positions.Move(stream, position);
        }

        foreach (var type in _types.Values)
        {
            journal.Types.Add(type);
        }
    }

    private void Admit(Measurement measurement)
    {
        var lane = LaneOf(measurement);
        Series? series = null;
        var error =
            MeasurementRules.Error(measurement, now)
            ?? TypeError(measurement, journal.Types)
            ?? aggregate.Find(measurement, out series);
        if (error is not null)
        {
            Reject(lane, error);
            return;
        }
        if (measurement.IsItem)
        {
            Accept(lane);
            if (journal.Types.Of(measurement.Metric) is null)
            {
                _types.TryAdd(measurement.Metric, new ItemType(measurement.Metric, measurement.Type, now));
            }
        }

        _applied.Add((series!, measurement));
    }

    private void Release(PendingWrite write, string name)
    {
        if (_types.ContainsKey(name) || !aggregate.Table.TryRelease(name))
        {
            _refused.Add((write, new MetricInUseException()));
            return;
        }
        journal.Types.Remove(name);
        _released.Add(name);
    }

    private void Admit(DatadogEvent what)
    {
        if (string.IsNullOrWhiteSpace(what.Title.ToString()))
        {
            Reject(Lane.Events, "title is empty");
            return;
        }
        Accept(Lane.Events);
        // Whose clock is ahead says when it happened by that clock.
        if (what.At > now)
        {
            what = what with { At = now };
        }

        if (what.Kind is not { } kind || LetsThrough(kind))
        {
            _payloads.Add(encoder.Encode(what, options));
        }
    }

    private bool LetsThrough(string kind)
    {
        var before = _ofKind.GetValueOrDefault(kind);
        _ofKind[kind] = before + 1;
        return aggregate.Fold.LetsThrough(kind, before, now);
    }

    // Whether it is the first call with its key: then its contents are remembered with it.
    private bool Begins(PendingWrite write, string key, string contents)
    {
        var second = now.ToUnixTimeSeconds();
        var call = SeenKeys.Of(NameOf(key), second);
        var whole = SeenKeys.Of($"contents {key} {contents}", second);
        if (!IsSeen(call))
        {
            return _keys.TryAdd(call.Hash, call) && _keys.TryAdd(whole.Hash, whole);
        }

        if (!IsSeen(whole))
        {
            _refused.Add((write, new KeyReusedException()));
        }

        return false;
    }

    // Whoever read the stream before it moved may have read what is durable already.
    private bool Moves(PendingWrite write, StreamRange range)
    {
        var position = _moved.TryGetValue(range.Stream, out var moved) ? moved : journal.Positions.Of(range.Stream);
        if (range.From == position)
        {
            _moved[range.Stream] = range.To;
        }
        else
        {
            _refused.Add((write, new PositionMovedException()));
        }

        return range.From == position;
    }

    private static string NameOf(string key) => $"call {key}";

    private bool IsSeen(SeenKey key) => journal.Keys.Contains(key) || _keys.ContainsKey(key.Hash);

    private void Accept(Lane lane) => _accepted[lane] = _accepted.GetValueOrDefault(lane) + 1;

    private void Reject(Lane lane, string reason)
    {
        Accept(lane);
        _moves.Add(new LedgerMove(lane, Account.Rejected, 1, journal.Outbox.Ledger.Name(lane, reason)));
    }
}
