using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A store whose transactions fail while it is told so, and then change nothing.</summary>
internal sealed class FailingStore : ITelemetryStore
{
    private readonly MemoryStore _inner = new();

    public bool AppendFails { get; set; }

    public bool FlushFails { get; set; }

    public bool SettleFails { get; set; }

    public int Appends { get; private set; }

    public int Settlements { get; private set; }

    /// <summary>Called before an append is kept.</summary>
    public Action<JournalAppend> OnAppend { get; set; } = _ => { };

    public Action<JournalFlush> OnFlush { get; set; } = _ => { };

    /// <summary>What a failing transaction throws.</summary>
    public Func<Exception> Error { get; set; } = () => new IOException("the disk is full");

    /// <summary>Every transaction and read waits for it, and is carried out only then.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Every read waits for it.</summary>
    public Task ReadGate { get; set; } = Task.CompletedTask;

    /// <summary>All three kinds of transaction, as on a disk that is full.</summary>
    public bool IsFull
    {
        set
        {
            AppendFails = FlushFails = SettleFails = value;
            Error = () => new StoreUnavailableException("The disk is full.");
        }
    }

    /// <summary>What it would bring back after a crash.</summary>
    public ValueTask<StoreContents> ContentsAsync() => _inner.OpenAsync(CancellationToken.None);

    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        _inner.OpenAsync(cancellationToken);

    public async ValueTask AppendAsync(JournalAppend arrivals, CancellationToken cancellationToken)
    {
        Appends++;
        OnAppend(arrivals);
        await PassAsync(() => AppendFails);
        await _inner.AppendAsync(arrivals, cancellationToken);
    }

    public async ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken)
    {
        OnFlush(flush);
        await PassAsync(() => FlushFails);
        await _inner.FlushAsync(flush, cancellationToken);
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long request, CancellationToken cancellationToken)
    {
        await Gate;
        await ReadGate;
        return await _inner.ReadAsync(request, cancellationToken);
    }

    public async ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken)
    {
        Settlements++;
        await PassAsync(() => SettleFails);
        await _inner.SettleAsync(settlement, cancellationToken);
    }

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private async Task PassAsync(Func<bool> fails)
    {
        await Gate;
        if (fails())
        {
            throw Error();
        }
    }
}
