using Npgsql;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>
/// <c>DB_SSL_MODE</c> against a real server with TLS, whose certificate is for 127.0.0.1 and signed by an authority that
/// nobody else knows. It means what it means to StreamSpace's API, whose driver is lib/pq.
/// </summary>
public sealed class PostgresTlsTests(PostgresTlsTests.Secured secured) : IClassFixture<PostgresTlsTests.Secured>
{
    private const string Untrusted = "TLS failed";

    [Theory]
    [InlineData("disable", null, "127.0.0.1", "plain")]
    [InlineData("require", null, "127.0.0.1", "tls")]
    [InlineData("require", null, "localhost", "tls")]
    [InlineData("require", "own.crt", "localhost", "tls")]
    [InlineData("require", "other.crt", "127.0.0.1", Untrusted)]
    [InlineData("require", "nowhere.crt", "127.0.0.1", "tls")]
    [InlineData("verify-ca", "own.crt", "127.0.0.1", "tls")]
    [InlineData("verify-ca", "own.crt", "localhost", "tls")]
    [InlineData("verify-ca", "other.crt", "127.0.0.1", Untrusted)]
    [InlineData("verify-ca", null, "127.0.0.1", Untrusted)]
    [InlineData("verify-full", "own.crt", "127.0.0.1", "tls")]
    [InlineData("verify-full", "own.crt", "localhost", Untrusted)]
    [InlineData("verify-full", "other.crt", "127.0.0.1", Untrusted)]
    [InlineData("verify-full", null, "127.0.0.1", Untrusted)]
    public async Task TheModeDecidesWhetherTheWayIsEncryptedAndWhoIsTrusted(
        string mode,
        string? root,
        string host,
        string outcome
    ) => (await OutcomeAsync(Options(mode, root, host))).ShouldStartWith(outcome, Case.Sensitive);

    [Fact]
    public async Task AServerThatDemandsTlsIsReadWithItAndSaysWhatToSetWithoutIt()
    {
        await using var server = await PostgresServer.StartAsync(secured.Authority.Server);
        await using var upstream = await UpstreamDatabase.CreateAsync(server, "streamspace");
        await server.DemandTlsAsync();
        var plain = Options("disable", null, "127.0.0.1") with { Port = server.Port, Database = "streamspace" };
        await using (var run = new SourceRun(plain))
        {
            await run.PassTimeUntilAsync(() => run.Source.Status.Detail.Contains("DB_SSL_MODE"), "what to set");
        }
        await using var read = await SourceRun.PollingAsync(
            Options("verify-full", "own.crt", "127.0.0.1") with
            {
                Port = server.Port,
                Database = "streamspace",
            }
        );
        read.Source.Status.State.ShouldBe(SourceState.Up);
        read.Seen.OfType<UsersTotalled>().ShouldHaveSingleItem().Total.ShouldBe(1);
    }

    [Fact]
    public void AnAuthorityThatIsNotThereIsRefusedWhereItDecides()
    {
        var errors = new List<string>();
        PostgresOptions
            .Read(
                name =>
                    name switch
                    {
                        "DB_HOST" => "db",
                        "DB_SSL_MODE" => "verify-full",
                        "PGSSLROOTCERT" => "/nowhere/root.crt",
                        _ => null,
                    },
                errors
            )
            .ShouldBeNull();
        errors.ShouldHaveSingleItem().ShouldContain("/nowhere/root.crt");
    }

    private PostgresOptions Options(string mode, string? root, string host)
    {
        var errors = new List<string>();
        var read = PostgresOptions.Read(
            name =>
                name switch
                {
                    "DB_HOST" => host,
                    "DB_PORT" => $"{secured.Server.Port}",
                    "DB_USER" => PostgresServer.Owner,
                    "DB_PASSWORD" => Secret.OwnerPassword,
                    "DB_NAME" => "postgres",
                    "DB_SSL_MODE" => mode,
                    "PGSSLROOTCERT" => root is null ? null : Path.Combine(secured.Folder, root),
                    _ => null,
                },
            errors
        );
        errors.ShouldBeEmpty();
        return read!;
    }

    // What the server says of our connection, or the sentence that an operator reads.
    private static async Task<string> OutcomeAsync(PostgresOptions options)
    {
        try
        {
            await using var database = options.Open(readOnly: true);
            await using var command = database.CreateCommand(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            );
            return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) is true ? "tls" : "plain";
        }
        catch (NpgsqlException e)
        {
            return PostgresErrorText.Of(e);
        }
    }

    /// <summary>The server, and files with its authority and another.</summary>
    public sealed class Secured : IAsyncLifetime
    {
        internal string Folder { get; } = TestRun.NewGivenFolder();

        internal FakeAuthority Authority { get; } = new();

        public PostgresServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await PostgresServer.StartAsync(Authority.Server);
            await File.WriteAllTextAsync(Path.Combine(Folder, "own.crt"), Authority.Pem);
            using var other = new FakeAuthority();
            await File.WriteAllTextAsync(Path.Combine(Folder, "other.crt"), other.Pem);
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            Authority.Dispose();
        }
    }
}
