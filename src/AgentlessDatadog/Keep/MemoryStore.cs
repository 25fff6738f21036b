namespace AgentlessDatadog;

/// <summary>Keeps everything for as long as the process lives.</summary>
public sealed class MemoryStore : ITelemetryStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, ReadOnlyMemory<byte>> _bodies = [];
    private long _sequence;

    /// <inheritdoc/>
    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        new(new StoreContents(0, 0, 0, [], [], [], []));

    /// <inheritdoc/>
    public ValueTask<long> AppendAsync(Arrivals arrivals, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Insert(arrivals.Payloads);
            return new(++_sequence);
        }
    }

    /// <inheritdoc/>
    public ValueTask CutAsync(Cut cut, CancellationToken cancellationToken)
    {
        lock (_lock)
            Insert(cut.Payloads);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_bodies[payload]);
    }

    /// <inheritdoc/>
    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var payload in settlement.Payloads)
                _bodies.Remove(payload);
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private void Insert(IReadOnlyList<Payload> payloads)
    {
        foreach (var payload in payloads)
            _bodies.Add(payload.Header.Id, payload.Body);
    }
}
