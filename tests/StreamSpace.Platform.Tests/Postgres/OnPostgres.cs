using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>The tests that share one PostgreSQL; they run one after the other, for some of them stop it.</summary>
[CollectionDefinition(nameof(OnPostgres))]
public sealed class OnPostgres : ICollectionFixture<OnPostgres.Fixture>
{
    /// <summary>The server.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private int _databases;

        public PostgresServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await PostgresServer.StartAsync();

        public ValueTask DisposeAsync() => Server?.DisposeAsync() ?? ValueTask.CompletedTask;

        /// <summary>A database of the test's own.</summary>
        public Task<UpstreamDatabase> DatabaseAsync(bool tables = true) =>
            UpstreamDatabase.CreateAsync(Server, $"streamspace_{++_databases}", tables);
    }
}
