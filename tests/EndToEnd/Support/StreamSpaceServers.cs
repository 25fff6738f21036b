using System.Globalization;
using NATS.Client.Core;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.Platform.Tests.Support;

namespace EndToEnd.Support;

/// <summary>
/// What a deployed StreamSpace is attached to by: a real nats-server, a real PostgreSQL with a role that only reads, and
/// a Kubernetes of our own.
/// </summary>
public sealed class StreamSpaceServers : IAsyncDisposable
{
    /// <summary>The sources that a host has when it is attached to all of it.</summary>
    public static readonly string[] Sources = ["kubernetes", "postgresql", "nats"];

    private const string NatsUser = "streamspace";

    private StreamSpaceServers(NatsServer nats, PostgresServer postgres, UpstreamDatabase database, FakeCluster cluster)
    {
        (Nats, Postgres, Database, Cluster) = (nats, postgres, database, cluster);
    }

    public NatsServer Nats { get; }

    public PostgresServer Postgres { get; }

    public UpstreamDatabase Database { get; }

    public FakeCluster Cluster { get; }

    /// <summary>What attaches a host.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; private init; } = new Dictionary<string, string>();

    /// <summary>Starts them all; the database has the tables and an admin, nothing else is there.</summary>
    /// <param name="clock">The cluster's.</param>
    public static async Task<StreamSpaceServers> StartAsync(TimeProvider clock)
    {
        var nats = await NatsServer.StartAsync(true, "--user", NatsUser, "--pass", Secret.NatsPassword);
        var postgres = await PostgresServer.StartAsync();
        var database = await UpstreamDatabase.CreateAsync(postgres, "streamspace");
        var reader = await database.CreateReaderAsync("observer");
        var cluster = await FakeCluster.StartAsync(clock);
        return new StreamSpaceServers(nats, postgres, database, cluster)
        {
            Environment = new Dictionary<string, string>
            {
                ["NATS_URL"] = nats.Url,
                ["NATS_USER"] = NatsUser,
                ["NATS_PASSWORD"] = Secret.NatsPassword,
                ["KUBECONFIG"] = cluster.KubeConfig,
                ["DB_HOST"] = "127.0.0.1",
                ["DB_PORT"] = reader.Port.ToString(CultureInfo.InvariantCulture),
                ["DB_NAME"] = reader.Database,
                ["DB_USER"] = reader.User,
                ["DB_PASSWORD"] = reader.Password!,
            },
        };
    }

    /// <summary>A client of NATS, as StreamSpace has one.</summary>
    public Task<NatsConnection> ConnectAsync() => Nats.ConnectAsync(NatsUser, Secret.NatsPassword);

    /// <summary>A host attached to them, and hearing them all.</summary>
    public async Task<Installation> AttachAsync()
    {
        var installation = await Installation.StartWithJudgeAsync(Environment);
        foreach (var source in Sources)
        {
            await installation.SourceIsAsync(source, "up");
        }
        return installation;
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await Database.DisposeAsync();
        await Postgres.DisposeAsync();
        await Nats.DisposeAsync();
    }
}
