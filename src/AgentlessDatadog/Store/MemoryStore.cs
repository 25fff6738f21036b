namespace AgentlessDatadog;

/// <summary>Keeps everything for as long as the process lives.</summary>
public sealed class MemoryStore : ITelemetryStore
{
    private readonly Lock _lock = new();
    private readonly Queue<JournalEntry> _journal = [];
    private readonly SortedDictionary<long, Payload> _outbox = [];
    private readonly Queue<SeenKey> _keys = [];
    private readonly Dictionary<LedgerMove, long> _ledger = [];
    private readonly List<StreamPosition> _positions = [];
    private IReadOnlyList<Loss> _losses = [];
    private long _lastSequence;
    private long _lastCut;
    private long _lastPayload;

    /// <inheritdoc/>
    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(
                new StoreContents(
                    _lastCut,
                    _lastSequence,
                    _lastPayload,
                    [.. _journal],
                    [.. _outbox.Values.Select(payload => payload.Header)],
                    [.. _keys],
                    // Acceptances come first, so that no account is ever below zero.
                    [.. _ledger.OrderBy(sum => sum.Key.To).Select(sum => sum.Key with { Units = sum.Value })],
                    [.. _losses.Where(loss => loss.Units > 0)]
                )
                {
                    Positions = [.. _positions],
                }
            );
        }
    }

    /// <inheritdoc/>
    public ValueTask AppendAsync(Arrivals arrivals, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _lastSequence = arrivals.Journal.Sequence;
            if (arrivals.Journal.Measurements.Count > 0)
                _journal.Enqueue(arrivals.Journal);
            foreach (var key in arrivals.Keys)
                _keys.Enqueue(key);
            Insert(arrivals.Payloads);
            Book(arrivals.Moves);
            foreach (var moved in arrivals.Positions)
            {
                _positions.RemoveAll(position => position.Stream == moved.Stream);
                _positions.Add(moved);
            }
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask CutAsync(Cut cut, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            while (_journal.TryPeek(out var first) && first.Sequence <= cut.Sequence)
                _journal.Dequeue();
            while (_keys.TryPeek(out var oldest) && oldest.Second < cut.ForgetBefore)
                _keys.Dequeue();
            _lastCut = cut.Second;
            Insert(cut.Payloads);
            Book(cut.Moves);
            _losses = Losses.Sum(_losses.Concat(cut.Told));
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_outbox[payload].Body);
    }

    /// <inheritdoc/>
    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Insert(settlement.Added);
            foreach (var payload in settlement.Payloads)
                _outbox.Remove(payload);
            Book(settlement.Moves);
            _losses = Losses.Sum(_losses.Concat(settlement.Lost));
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private void Insert(IReadOnlyList<Payload> payloads)
    {
        foreach (var payload in payloads)
        {
            _outbox.Add(payload.Header.Id, payload);
            _lastPayload = Math.Max(_lastPayload, payload.Header.Id);
        }
    }

    private void Book(IReadOnlyList<LedgerMove> moves)
    {
        foreach (var move in moves)
        {
            var account = move with { Units = 0 };
            _ledger[account] = _ledger.GetValueOrDefault(account) + move.Units;
        }
    }
}
