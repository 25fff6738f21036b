using NATS.Client.Core;
using Shouldly;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Sources;

/// <summary>What can be told of StreamSpace with each source missing: the tables of docs/attach.md, cell by cell.</summary>
[Collection(nameof(OnPostgres))]
public sealed class CombinationTests(OnPostgres.Fixture postgres) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    private readonly RecordingSubscriber _told = new();
    private readonly CancellationTokenSource _stop = new();
    private FakeCluster? _cluster;
    private PlatformFeed? _feed;
    private Task _run = Task.CompletedTask;

    [Theory]
    [InlineData("Kubernetes, PostgreSQL and NATS", true, true, true)]
    [InlineData("without Kubernetes", false, true, true)]
    [InlineData("without PostgreSQL", true, false, true)]
    [InlineData("without NATS", true, true, false)]
    public async Task OfVersionOneEachCombinationTellsWhatTheGuideSays(
        string column,
        bool cluster,
        bool rows,
        bool messages
    )
    {
        await using var database = await postgres.DatabaseAsync();
        await database.CreateUserAsync("7f01", "ada", await database.ValueAsync<DateTime>("SELECT localtimestamp"));
        await using var nats = await NatsServer.StartMonitoredAsync("127.82.22.4");
        var client = await nats.ConnectAsync();
        _cluster = await FakeCluster.StartAsync(TimeProvider.System);
        await StartAsync([
            .. cluster ? (ISource[])[Kubernetes()] : [],
            .. rows ? (ISource[])[Postgres(database)] : [],
            .. messages ? (ISource[])[Nats(nats)] : [],
        ]);

        await LiveAsync(database, client);
        await client.DisposeAsync();
        await ToldAsync("| of version 1", column, OutcomeOfV1);
    }

    [Theory]
    [InlineData("Kubernetes and PostgreSQL", true, true, true)]
    [InlineData("Kubernetes alone", true, true, false)]
    [InlineData("both, without the right on deployments", true, false, true)]
    [InlineData("PostgreSQL alone", false, false, true)]
    public async Task EachCombinationTellsWhatTheGuideSays(string column, bool cluster, bool deployments, bool rows)
    {
        await using var database = await postgres.DatabaseAsync();
        var upstream = new UpstreamV2(database);
        await upstream.UpgradeAsync();
        _cluster = await FakeCluster.StartAsync(TimeProvider.System);
        var agent = new FakeAgent(_cluster);
        if (!deployments)
        {
            _cluster.Forbid("deployments");
        }
        await StartAsync([.. cluster ? (ISource[])[Kubernetes()] : [], .. rows ? (ISource[])[Postgres(database)] : []]);

        await LiveAsync(database, upstream, agent);
        await ToldAsync("| of version 2", column, Outcome);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        await (_feed?.DisposeAsync() ?? default);
        await (_cluster?.DisposeAsync() ?? default);
        _stop.Dispose();
    }

    private KubernetesSource Kubernetes() =>
        new(
            new KubernetesOptions { KubeConfig = _cluster!.KubeConfig, MetricsInterval = () => Interval },
            TimeProvider.System,
            () => 0.5,
            new SearchedLog()
        );

    private static PostgresSource Postgres(UpstreamDatabase database) =>
        new(database.Options, () => Interval, TimeProvider.System, () => 0.5, new SearchedLog());

    private static NatsSource Nats(NatsServer nats) =>
        new(new NatsOptions(nats.Url, null, null), TimeProvider.System, () => 0.5, new SearchedLog())
        {
            LookEvery = Interval,
            MissingTimeout = Interval,
        };

    private async Task StartAsync(IReadOnlyList<ISource> sources)
    {
        _feed = new PlatformFeed(
            sources,
            new MemoryPlatformStore(),
            isDemo: false,
            TimeProvider.System,
            () => 0.5,
            new SearchedLog()
        );
        await _feed.SubscribeAsync(_told, TestContext.Current.CancellationToken);
        _run = _feed.RunAsync(_stop.Token);
        await _told.Changed.UntilAsync(
            () => _feed.Sources.All(s => s.State is SourceState.Up),
            "the sources",
            () => string.Join('\n', _feed.Sources)
        );
        await SettleAsync();
    }

    private async Task ToldAsync(string table, string column, Func<Dictionary<string, bool>> outcome)
    {
        var guide = await GuideAsync(table, column);
        await _told.Changed.UntilAsync(
            () => outcome().Where(o => o.Value).Select(o => o.Key).ToHashSet().IsSupersetOf(Wanted()),
            $"all that {column} tell",
            () => string.Join(", ", Wanted().Where(w => !outcome()[w]))
        );
        await SettleAsync();

        outcome().ShouldBe(guide, ignoreOrder: true);

        IEnumerable<string> Wanted() => guide.Where(g => g.Value).Select(g => g.Key);
    }

    // As below, of version 1.
    private async Task LiveAsync(UpstreamDatabase database, NatsConnection client)
    {
        var says = new UpstreamMessages(seed: 3);
        await database.LogInAsync("7f01", await NowAsync());
        await says.Create("waits", "ada", "chrome", Now()).PublishAsync(client);
        await says.Create("refused", "ada", "chrome", Now()).PublishAsync(client);
        await says.CreationFailed("refused", "quota", Now()).PublishAsync(client);
        foreach (var id in (string[])["runs", "sleeps", "ends", "by-hand", "breaks", "by-id"])
        {
            var user = id == "by-id" ? "7f01" : "ada";
            await says.Create(id, user, "chrome", Now()).PublishAsync(client);
            _cluster!.RunSession(id, user);
            await says.Status(id, "Running", Now()).PublishAsync(client);
        }
        _cluster!.Use("ss-runs", "500m", "256Mi");
        await SettleAsync();
        await says.Hibernate("sleeps", "ada", Now()).PublishAsync(client);
        _cluster.Want("sleeps", "hibernated");
        _cluster.DeletePod("ss-sleeps");
        _cluster.Phase("sleeps", "Hibernated");
        await says.Status("sleeps", "Hibernated", Now()).PublishAsync(client);
        await says.Delete("ends", "ada", Now()).PublishAsync(client);
        foreach (var id in (string[])["ends", "by-hand"])
        {
            _cluster.DeletePod($"ss-{id}");
            _cluster.DeleteSession(id);
        }
        _cluster.Phase("breaks", "Failed", "no such template");
        await client.PingAsync();
        await database.AuditAsync("POST", "/api/v1/sessions", 500, await NowAsync());
        await database.AuditAsync("POST", "/api/v1/sessions", 500, await NowAsync());

        DateTimeOffset Now() => TimeProvider.System.GetUtcNow();
        Task<DateTime> NowAsync() => database.ValueAsync<DateTime>("SELECT localtimestamp");
    }

    private Dictionary<string, bool> OutcomeOfV1() =>
        new()
        {
            ["a request that is no session yet"] = _told.States.Any(s =>
                s.Sessions.Any(one => one is { Id: "waits", State: SessionState.Requested })
            ),
            ["what is active"] = State("runs") is SessionState.Running,
            ["what sleeps"] = State("sleeps") is SessionState.Hibernated,
            ["an end that was asked for"] = Ended("ends"),
            ["the end of a session that was deleted by hand"] = Ended("by-hand"),
            ["a failure before there is a session"] = Failed("refused"),
            ["a failure of one that is there"] = Failed("breaks"),
            ["the name of a user who is known by the id"] = _told.Session("by-id")?.User.Name == "ada",
            ["CPU, memory, storage"] = _told.States.Any(s => s.Usages.Count > 0),
            ["users, log-ins"] = _told.Facts.OfType<UserLoggedIn>().Any(f => f.User.Name == "ada"),
            ["an API that makes no sessions"] = _told.Facts.OfType<ApiFailed>().Any(),
        };

    // What becomes of one session of each kind, and what else there is to be told.
    private async Task LiveAsync(UpstreamDatabase database, UpstreamV2 upstream, FakeAgent agent)
    {
        await upstream.ConnectAgentAsync(await NowAsync());
        await database.LogInAsync("admin", await NowAsync());
        await upstream.RequestAsync("waits", "admin", "chrome", await NowAsync());
        var pods = new Dictionary<string, string>();
        foreach (var id in (string[])["runs", "sleeps", "ends", "vanishes", "by hand"])
        {
            await upstream.RequestAsync(id, "admin", "chrome", await NowAsync());
            pods[id] = agent.Run(id, "admin");
            await upstream.RunAsync(id, await NowAsync());
        }
        _cluster!.Use(pods["runs"], "500m", "256Mi");
        await SettleAsync();
        await upstream.HibernateAsync("sleeps", await NowAsync());
        agent.Hibernate("sleeps", pods["sleeps"]);
        await upstream.TerminateAsync("ends", await NowAsync());
        agent.Stop("ends", pods["ends"]);
        await upstream.BatchDeleteAsync("vanishes");
        agent.Stop("by hand", pods["by hand"]);
        await upstream.RequestAsync("fails", "admin", "chrome", await NowAsync());
        await upstream.SetStateAsync("fails", "failed", await NowAsync());
        await upstream.RequestAsync("came and went", "admin", "chrome", await NowAsync());
        await upstream.TerminateAsync("came and went", await NowAsync());

        Task<DateTime> NowAsync() => database.ValueAsync<DateTime>("SELECT localtimestamp");
    }

    private Dictionary<string, bool> Outcome() =>
        new()
        {
            ["what waits to be made"] = State("waits") is SessionState.Requested,
            ["what is active"] = State("runs") is SessionState.Running,
            ["what sleeps"] = State("sleeps") is SessionState.Hibernated,
            ["an end that was asked for"] = Ended("ends"),
            ["the end of a row that is gone"] = Ended("vanishes"),
            ["the end of a Deployment that was deleted by hand"] = Ended("by hand"),
            ["a failure"] = Failed("fails"),
            ["what came and went without a Deployment"] = Ended("came and went"),
            ["CPU, memory, storage"] = _told.States.Any(s => s.Usages.Count > 0),
            ["users, log-ins"] = _told.Facts.OfType<UserLoggedIn>().Any(f => f.User.Name == "admin"),
            ["agents"] = _told.States.Any(s => s.Agents is { Count: > 0 }),
        };

    private SessionState? State(string id) => _told.Session(id)?.State;

    private bool Failed(string id) => _told.Facts.OfType<SessionFailed>().Any(f => f.Session.Id == id);

    private bool Ended(string id) => _told.Facts.OfType<SessionEnded>().Any(f => f.Session.Id == id);

    // All that was to be seen up to now has been: each source has looked again, and a session of no one was seen.
    private async Task SettleAsync()
    {
        var polls = Polls();
        var asked = _cluster!.Asked("metrics");
        var marker = $"marker-{Guid.NewGuid():N}";
        _cluster.RunSession(marker, marker, "none");
        var watches = _feed!.Sources.Any(s => s.Name == "kubernetes");
        await _told.Changed.UntilAsync(
            () =>
                (polls is null || Polls() >= polls + 3)
                && (!watches || (State(marker) is SessionState.Running && _cluster.Asked("metrics") >= asked + 2)),
            "everything was looked at"
        );

        long? Polls() =>
            _feed!.Sources.Where(s => s.Name == "postgresql").Select(s => (long?)s.Received).FirstOrDefault();
    }

    private static async Task<Dictionary<string, bool>> GuideAsync(string name, string column)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "docs", "attach.md")))
        {
            folder = folder.Parent;
        }
        var lines = await File.ReadAllLinesAsync(Path.Combine(folder.FullName, "docs", "attach.md"));
        var table = lines
            .SkipWhile(l => !l.StartsWith(name, StringComparison.Ordinal))
            .TakeWhile(l => l.StartsWith('|'))
            .Select(l => l.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .ToList();
        var at = Array.IndexOf(table[0], column);
        return table.Skip(2).ToDictionary(r => r[0], r => r[at].StartsWith("yes", StringComparison.Ordinal));
    }
}
