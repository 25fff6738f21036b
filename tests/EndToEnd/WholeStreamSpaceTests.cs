using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.Platform.Tests.Support;
using Xunit;

namespace EndToEnd;

/// <summary>
/// One StreamSpace as it is deployed, with its sessions in Kubernetes, its users in PostgreSQL and its messages on
/// NATS: everything is counted once, whoever tells of it first.
/// </summary>
public sealed class WholeStreamSpaceTests : IAsyncLifetime
{
    private readonly UpstreamMessages _messages = new(seed: 5);
    private StreamSpaceServers _servers = null!;
    private UpstreamDatabase _database = null!;
    private FakeCluster _cluster = null!;
    private Installation _installation = null!;

    public async ValueTask InitializeAsync()
    {
        _servers = await StreamSpaceServers.StartAsync(TimeProvider.System);
        (_database, _cluster) = (_servers.Database, _servers.Cluster);
        await _database.CreateUserAsync("7f01", "ada", Wall().AddDays(-9));
        await _database.CreateUserAsync("7f02", "bob", Wall().AddDays(-8));
        _cluster.RunSession("ada-chrome-00000001", "ada", "chrome");
        _installation = await _servers.AttachAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task EverythingIsCountedOnceWhoeverTellsOfItFirst()
    {
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        await using var client = await _servers.ConnectAsync();

        // Asked for on NATS, with the platform copy; made in Kubernetes a moment later.
        await _messages
            .Create("bob-gimp-00000002", "bob", "gimp", TimeProvider.System.GetUtcNow())
            .PublishAsync(client);
        _cluster.RunSession("bob-gimp-00000002", "bob", "gimp");
        _cluster.Use("ss-bob-gimp-00000002", "250m", "512Mi");
        await _messages.Status("bob-gimp-00000002", "Running", TimeProvider.System.GetUtcNow()).PublishAsync(client);
        // Made by kubectl: NATS never hears of it.
        _cluster.RunSession("bob-vscode-00000003", "bob", "vscode");
        await SessionsAreAsync(3);

        // Once it has been sent as active.
        await Eventually.GetAsync(
            "a first flush",
            async () =>
                (
                    await _installation.Sandbox.QueryAsync(
                        "max:streamspace.session.active{template:chrome}",
                        from,
                        TimeProvider.System.GetUtcNow().AddMinutes(1)
                    )
                ).Count > 0
                    ? "so"
                    : null
        );

        // Asked to end on NATS; gone in Kubernetes.
        await _messages.Delete("ada-chrome-00000001", "ada", TimeProvider.System.GetUtcNow()).PublishAsync(client);
        _cluster.BeginDelete("ada-chrome-00000001");
        _cluster.DeletePod("ss-ada-chrome-00000001");
        _cluster.DeleteSession("ada-chrome-00000001");
        await SessionsAreAsync(2);

        await _database.CreateUserAsync("7f03", "cem", Wall());
        await _database.LogInAsync("7f02", Wall());
        await _database.LogOutAsync(Wall());
        await UsageAndUsersAreSeenAsync(from);
        (await _installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(1);
        (await SumsAsync("streamspace.session.created")).ShouldBe(["gimp,bob: 1", "vscode,bob: 1"], ignoreOrder: true);
        (await SumsAsync("streamspace.session.terminated")).ShouldBe(["chrome,ada: 1"]);
        (await LastAsync("max:streamspace.session.active{*} by {user,template}")).ShouldBe(
            ["chrome,ada: 0", "gimp,bob: 1", "vscode,bob: 1"],
            ignoreOrder: true
        );
        // The platform makes an admin of its own.
        (await LastAsync("max:streamspace.users.total{*}")).ShouldBe([": 4"]);
        (await SumsAsync("streamspace.user.created", "user")).ShouldBe(["cem: 1"]);
        (await SumsAsync("streamspace.user.login", "user")).ShouldBe(["bob: 1"]);
        (await SumsAsync("streamspace.user.logout", "user")).ShouldHaveSingleItem().ShouldEndWith(": 1");
        (await LastAsync("avg:streamspace.session.memory_usage{session:bob-gimp-00000002}")).ShouldBe([": 536870912"]);
        _cluster.Complaints.ShouldBeEmpty();
        (await _installation.Sandbox.GetAsync("/sandbox/dropped")).GetProperty("total").GetInt64().ShouldBe(0);
        await PayloadRules.HoldAsync(_installation.Sandbox);

        async Task<List<string>> SumsAsync(string metric, string by = "template,user") =>
            [
                .. (
                    await _installation.Sandbox.QueryAsync($"sum:{metric}{{*}} by {{{by}}}.as_count()", from, to)
                ).Select(s => $"{Values(s)}: {s.Points.Sum(p => p.Value)}"),
            ];

        async Task<List<string>> LastAsync(string query) =>
            [
                .. (await _installation.Sandbox.QueryAsync($"{query}.rollup(max, 1)", from, to)).Select(s =>
                    $"{Values(s)}: {s.Points[^1].Value}"
                ),
            ];
    }

    [Fact]
    public async Task AnApiThatMakesNoSessionsIsToldAsItsUsersSeeItUntilItDoes()
    {
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        await _database.AuditAsync("POST", "/api/v1/sessions", 500, Wall());
        await _database.AuditAsync("POST", "/api/v1/sessions", 500, Wall().AddSeconds(1));
        await _installation.SourceIsAsync("streamspace-api", "down");

        var status = await _installation.Http.GetFromJsonAsync<JsonElement>("/api/status");
        var verdict = status.GetProperty("verdict");
        verdict.GetProperty("state").GetString().ShouldBe("degraded");
        verdict.GetProperty("sentence").GetString()!.ShouldContain("users can neither make nor end sessions");
        verdict.GetProperty("fix").GetString()!.ShouldContain("kubectl rollout restart");
        await UpIsAsync(0);

        await _database.AuditAsync("POST", "/api/v1/sessions", 202, Wall().AddSeconds(2));
        await _installation.SourceIsAsync("streamspace-api", "up");
        await UpIsAsync(1);
        (await _installation.Host.TerminateAsync()).ShouldBe(0);
        var titles = (await _installation.Sandbox.EventsAsync(from, TimeProvider.System.GetUtcNow().AddMinutes(1)))
            .EnumerateArray()
            .Select(e => e.GetProperty("title").GetString()!)
            .Where(t => t.StartsWith("StreamSpace ", StringComparison.Ordinal))
            .ToList();
        titles.ShouldBe(["StreamSpace Cannot Make Sessions", "StreamSpace Makes Sessions Again"], ignoreOrder: true);

        Task UpIsAsync(double value) =>
            Eventually.GetAsync(
                $"streamspace.source.up of the API at {value}",
                async () =>
                    (
                        await _installation.Sandbox.QueryAsync(
                            "max:streamspace.source.up{source:streamspace-api}.rollup(max, 1)",
                            from,
                            TimeProvider.System.GetUtcNow().AddMinutes(1)
                        )
                    )
                        is [{ Points: [.., var last] }]
                    && last.Value == value
                        ? "so"
                        : null
            );
    }

    [Fact]
    public async Task StreamSpacesOwnPageConfiguresUsLive()
    {
        await _database.ExecuteAsync(
            """
            INSERT INTO installed_plugins (name, version, enabled, config) VALUES ('streamspace-datadog', '1.0.0', true,
                '{"site":"sandbox","metricsInterval":"20","globalTags":"env:page, team:x","metricIntervall":1}')
            """
        );
        await ConfigIsAsync(c => c.GetProperty("metricsInterval").GetInt32() == 20);
        var config = await ConfigAsync();
        config.GetProperty("globalTags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["env:page", "team:x"]);
        (await _installation.StatusAsync()).GetProperty("streamspaceRow").GetString()!.ShouldContain("metricsInterval");

        await _database.ExecuteAsync("UPDATE installed_plugins SET enabled = false, updated_at = now()");
        await ConfigIsAsync(c => !c.GetProperty("enabled").GetBoolean());
        await _database.ExecuteAsync(
            "UPDATE installed_plugins SET enabled = true, config = '{\"metricsInterval\":\"5\"}', updated_at = now()"
        );
        await Eventually.GetAsync(
            "the error of the row",
            async () =>
                (await _installation.StatusAsync()).GetProperty("streamspaceRow").GetString() is { } row
                && row.Contains("10 to 300")
                    ? row
                    : null
        );
        (await ConfigAsync()).GetProperty("metricsInterval").GetInt32().ShouldBe(20);

        // Off is off, whatever else is wrong with the row.
        foreach (var unusable in (string[])["'{\"metricsInterval\":\"5\"}'", "to_jsonb(repeat('x', 70000))"])
        {
            await _database.ExecuteAsync(
                $"UPDATE installed_plugins SET enabled = false, config = {unusable}, updated_at = now()"
            );
            await ConfigIsAsync(c => !c.GetProperty("enabled").GetBoolean());
            (await ConfigAsync()).GetProperty("metricsInterval").GetInt32().ShouldBe(20);
            await _database.ExecuteAsync(
                "UPDATE installed_plugins SET enabled = true, config = '{\"metricsInterval\":\"20\"}', updated_at = now()"
            );
            await ConfigIsAsync(c => c.GetProperty("enabled").GetBoolean());
        }
    }

    [Fact]
    public async Task UninstalledThereIsOffOverKillsUntilItIsEnabledHereOrRegisteredAgain()
    {
        const string insert =
            "INSERT INTO installed_plugins (name, version, enabled, config) VALUES ('streamspace-datadog', '1.0.0', {0}, '{{\"site\":\"sandbox\"}}')";
        await _database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, insert, "true"));
        await RowSaysAsync("Read from installed_plugins");
        (await EnabledAsync()).ShouldBeTrue();

        await _database.ExecuteAsync("DELETE FROM installed_plugins");
        await RowSaysAsync("StreamSpace has uninstalled it");
        await ConfigIsAsync(c => !c.GetProperty("enabled").GetBoolean());
        await RestartAsync();
        await RowSaysAsync("StreamSpace has uninstalled it");
        (await EnabledAsync()).ShouldBeFalse();
        // The database is away when we start, too.
        await _servers.Postgres.KillAsync();
        await RestartAsync();
        (await EnabledAsync()).ShouldBeFalse();
        await _servers.Postgres.StartAgainAsync();

        (await _installation.Http.PostAsync("/api/plugins/datadog/enable", null)).EnsureSuccessStatusCode();
        (await EnabledAsync()).ShouldBeTrue();
        await RestartAsync();
        (await EnabledAsync()).ShouldBeTrue();

        // Disabled there and then uninstalled, and registered again.
        await _database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, insert, "false"));
        await ConfigIsAsync(c => !c.GetProperty("enabled").GetBoolean());
        await _database.ExecuteAsync("DELETE FROM installed_plugins");
        await RowSaysAsync("StreamSpace has uninstalled it");
        await ConfigIsAsync(c => !c.GetProperty("enabled").GetBoolean());
        await _database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, insert, "true"));
        await ConfigIsAsync(c => c.GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task CheckNamesEveryThingAndItsExitCodeTells()
    {
        var data = TestRun.NewFolder();
        await using var well = BuiltProgram.Start(
            "StreamSpace.PluginHost",
            ["check", "--deny-warnings", "--data", data],
            _servers.Environment
        );
        // The sandbox, no name for the cluster, no row, and kubelets at a port that is not theirs.
        (await well.EndAsync()).ShouldBe(2, well.Output);
        foreach (var thing in (string[])["kubernetes ListSessions", "postgresql", "nats", "config", "site", "cluster"])
        {
            well.Output.ShouldContain(thing);
        }

        _cluster.Forbid("sessions");
        var sick = new Dictionary<string, string>(_servers.Environment) { ["NATS_URL"] = "nats://127.0.0.1:1" };
        await using var ill = BuiltProgram.Start("StreamSpace.PluginHost", ["check", "--data", data], sick);
        (await ill.EndAsync()).ShouldBe(1, ill.Output);
        ill.Output.Split('\n').Count(l => l.StartsWith("FAULT")).ShouldBeGreaterThanOrEqualTo(2, ill.Output);
        ill.Output.ShouldNotContain(_servers.Environment["DB_PASSWORD"]);
    }

    [Fact]
    public async Task RegisterListsUsOnStreamSpacesPageOrPrintsTheGrant()
    {
        var data = TestRun.NewFolder();
        await using var refused = BuiltProgram.Start(
            "StreamSpace.PluginHost",
            ["register", "--data", data],
            _servers.Environment
        );
        (await refused.EndAsync()).ShouldBe(1, refused.Output);
        refused.Output.ShouldContain("GRANT");

        var owner = new Dictionary<string, string>(_servers.Environment)
        {
            ["DB_USER"] = PostgresServer.Owner,
            ["DB_PASSWORD"] = Secret.OwnerPassword,
        };
        for (var i = 0; i < 2; i++)
        {
            await using var done = BuiltProgram.Start("StreamSpace.PluginHost", ["register", "--data", data], owner);
            (await done.EndAsync()).ShouldBe(0, done.Output);
        }
        const string count = "SELECT count(*) FROM installed_plugins WHERE name = 'streamspace-datadog' AND enabled";
        (await _database.ValueAsync<long>(count)).ShouldBe(1);
    }

    private async Task RestartAsync()
    {
        await _installation.KillHostAsync();
        _installation.StartHostAgain();
        await _installation.Host.LineAsync("sign-in?code=");
    }

    private async Task<bool> EnabledAsync() => (await ConfigAsync()).GetProperty("enabled").GetBoolean();

    private Task RowSaysAsync(string what) =>
        Eventually.GetAsync(
            $"the row: {what}",
            async () =>
                (await _installation.StatusAsync()).GetProperty("streamspaceRow").GetString() is { } said
                && said.Contains(what)
                    ? said
                    : null
        );

    private static DateTime Wall() => TimeProvider.System.GetUtcNow().UtcDateTime;

    private static string Values(QueriedSeries series) =>
        string.Join(',', series.Tags.Order(StringComparer.Ordinal).Select(t => t.Split(':', 2)[1]));

    private async Task<JsonElement> ConfigAsync() =>
        await JsonSerializer.DeserializeAsync<JsonElement>(
            await _installation.Http.GetStreamAsync("/api/plugins/datadog/config")
        );

    private Task ConfigIsAsync(Func<JsonElement, bool> right) =>
        Eventually.GetAsync("the config of the row", async () => right(await ConfigAsync()) ? "so" : null);

    private Task SessionsAreAsync(int open) =>
        Eventually.GetAsync(
            $"{open} open sessions",
            async () =>
                (await _installation.StatusAsync()).GetProperty("sessions").GetProperty("open").GetInt32() == open
                    ? "so"
                    : null
        );

    private async Task UsageAndUsersAreSeenAsync(DateTimeOffset from)
    {
        foreach (
            var metric in (string[])
                ["streamspace.session.memory_usage", "streamspace.user.login", "streamspace.user.created"]
        )
        {
            await Eventually.GetAsync(
                metric,
                async () =>
                    await _installation.Sandbox.QueryAsync(
                        $"sum:{metric}{{*}}",
                        from,
                        TimeProvider.System.GetUtcNow().AddMinutes(1)
                    )
                        is { Count: > 0 } found
                        ? found
                        : null
            );
        }
    }
}
