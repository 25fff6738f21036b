namespace AgentlessDatadog.Tests.Support;

/// <summary>A store whose transactions fail while it is told so, and then change nothing.</summary>
public sealed class FailingStore : ITelemetryStore
{
    private readonly MemoryStore _inner = new();

    public bool AppendFails { get; set; }

    public bool CutFails { get; set; }

    public bool SettleFails { get; set; }

    public int Appends { get; private set; }

    /// <summary>Called before an append or a cut is kept.</summary>
    public Action<Arrivals> OnAppend { get; set; } = _ => { };

    public Action<Cut> OnCut { get; set; } = _ => { };

    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        _inner.OpenAsync(cancellationToken);

    public ValueTask AppendAsync(Arrivals arrivals, CancellationToken cancellationToken)
    {
        Appends++;
        OnAppend(arrivals);
        return AppendFails ? Fail() : _inner.AppendAsync(arrivals, cancellationToken);
    }

    public ValueTask CutAsync(Cut cut, CancellationToken cancellationToken)
    {
        OnCut(cut);
        return CutFails ? Fail() : _inner.CutAsync(cut, cancellationToken);
    }

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken) =>
        _inner.ReadAsync(payload, cancellationToken);

    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken) =>
        SettleFails ? Fail() : _inner.SettleAsync(settlement, cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private static ValueTask Fail() => ValueTask.FromException(new IOException("the disk is full"));
}
