using AgentlessDatadog.Store;

namespace AgentlessDatadog.Tests.Store;

public sealed class MemoryStoreTests : TelemetryStoreRules
{
    public MemoryStoreTests() => Store = new MemoryStore();

    private protected override ValueTask<StoreContents> OpenAgainAsync() => Store.OpenAsync(CancellationToken.None);
}
