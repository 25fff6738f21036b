namespace AgentlessDatadog.Store;

/// <summary>Keeps everything for as long as the process lives.</summary>
internal sealed class MemoryStore : ITelemetryStore
{
    private readonly Lock _lock = new();
    private readonly Queue<JournalEntry> _journal = [];
    private readonly SortedDictionary<long, QueuedRequest> _outbox = [];
    private readonly Queue<SeenKey> _keys = [];
    private readonly Dictionary<LedgerMove, long> _ledger = [];
    private readonly List<StreamPosition> _positions = [];
    private readonly List<ItemType> _types = [];
    private IReadOnlyList<Loss> _losses = [];
    private long _lastSequence;
    private long _lastFlush;
    private long _lastRequest;

    /// <inheritdoc/>
    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(
                new StoreContents(
                    _lastFlush,
                    _lastSequence,
                    _lastRequest,
                    [.. _journal],
                    [.. _outbox.Values.Select(request => request.Header)],
                    [.. _keys],
                    // Acceptances come first, so that no account is ever below zero.
                    [.. _ledger.OrderBy(sum => sum.Key.To).Select(sum => sum.Key with { Units = sum.Value })],
                    [.. _losses.Where(loss => loss.Units > 0)]
                )
                {
                    Positions = [.. _positions],
                    Types = [.. _types],
                }
            );
        }
    }

    /// <inheritdoc/>
    public ValueTask AppendAsync(JournalAppend append, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _lastSequence = append.Journal.Sequence;
            if (!append.Journal.IsEmpty)
            {
                _journal.Enqueue(append.Journal);
            }

            foreach (var key in append.Keys)
            {
                _keys.Enqueue(key);
            }

            Insert(append.Requests);
            Book(append.Moves);
            foreach (var moved in append.Positions)
            {
                _positions.RemoveAll(position => position.Stream == moved.Stream);
                _positions.Add(moved);
            }

            _types.RemoveAll(type => append.ReleasedNames.Contains(type.Name));
            _types.AddRange(append.Types);
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            while (_journal.TryPeek(out var first) && first.Sequence <= flush.Sequence)
            {
                _journal.Dequeue();
            }

            while (_keys.TryPeek(out var oldest) && oldest.Second < flush.TrimKeysBefore)
            {
                _keys.Dequeue();
            }

            _lastFlush = flush.Second;
            Insert(flush.Requests);
            Book(flush.Moves);
            _losses = ExpiredReport.Sum(_losses.Concat(flush.Reported));
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long request, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(_outbox[request].Body);
        }
    }

    /// <inheritdoc/>
    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Insert(settlement.Added);
            foreach (var request in settlement.Requests)
            {
                _outbox.Remove(request);
            }

            Book(settlement.Moves);
            _losses = ExpiredReport.Sum(_losses.Concat(settlement.Lost));
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private void Insert(IReadOnlyList<QueuedRequest> requests)
    {
        foreach (var request in requests)
        {
            _outbox.Add(request.Header.Id, request);
            _lastRequest = Math.Max(_lastRequest, request.Header.Id);
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
