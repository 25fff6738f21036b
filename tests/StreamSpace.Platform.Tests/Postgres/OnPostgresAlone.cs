using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>A PostgreSQL for tests beside which no other runs.</summary>
[CollectionDefinition(nameof(OnPostgresAlone), DisableParallelization = true)]
public sealed class OnPostgresAlone : ICollectionFixture<OnPostgres.Fixture>;
