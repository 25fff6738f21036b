using AgentlessDatadog;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Support;

/// <summary>
/// A store on a real disk for a test that moves the clock: it answers at once, however long the disk takes, so that
/// nobody loses patience with it by a clock that knows nothing of the disk.
/// </summary>
internal sealed class PromptStore(ITelemetryStore behind) : ITelemetryStore
{
    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        behind.OpenAsync(cancellationToken);

    public ValueTask AppendAsync(JournalAppend arrivals, CancellationToken cancellationToken) =>
        Done(behind.AppendAsync(arrivals, cancellationToken).AsTask());

    public ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken) =>
        Done(behind.FlushAsync(flush, cancellationToken).AsTask());

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken)
    {
        var reading = behind.ReadAsync(payload, cancellationToken).AsTask();
        ((IAsyncResult)reading).AsyncWaitHandle.WaitOne();
        return new(reading);
    }

    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken) =>
        Done(behind.SettleAsync(settlement, cancellationToken).AsTask());

    public ValueTask DisposeAsync() => behind.DisposeAsync();

    private static ValueTask Done(Task writing)
    {
        ((IAsyncResult)writing).AsyncWaitHandle.WaitOne();
        return new(writing);
    }
}
