using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;

namespace AgentlessDatadog.Tests.Store;

public sealed class SqliteStoreTests : TelemetryStoreRules
{
    private readonly StoreFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    private protected override async ValueTask<StoreContents> OpenAgainAsync()
    {
        if (Store is not null)
        {
            await Store.DisposeAsync();
        }

        Store = new SqliteStore(_folder.File, TimeProvider.System);
        return await Store.OpenAsync(CancellationToken.None);
    }
}
