using System.Net;
using System.Text;
using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests.Provisioning;

/// <summary>Dashboards, monitors, SLOs and metadata in an account: the sandbox's, which refuses what Datadog refuses.</summary>
public sealed class ProvisionTests : IAsyncLifetime
{
    private PluginRun _run = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _run = await PluginRun.StartAsync();
        var session = Some.Session("ada-chrome", _run.Now.AddMinutes(-3));
        await _run.HandleAsync(Some.Created(session), Some.Login("ada", _run.Now));
        _run.Measure(session, cpu: 20, memory: 1e9, storage: 2e9);
        await _run.FlushAsync();

        var (server, address) = MemoryNetwork.NewServer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(server);
        _app = builder.Build();
        _run.Plugin.MapEndpoints(_app.MapGroup("/api/plugins/datadog"));
        await _app.StartAsync();
        _http = TestRun.NewClient(address, new MemoryNetwork());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await _run.DisposeAsync();
    }

    [Fact]
    public async Task TheFirstRunMakesAllAndTheSecondChangesNothing()
    {
        var first = await ProvisionAsync();
        Failed(first).ShouldBeEmpty();
        Of(first, "create")
            .CountBy(a => a.Kind)
            .Select(kind => $"{kind.Value} {kind.Key}")
            .ShouldBe(["2 slo", "7 monitor", "3 dashboard", "1 entity"]);
        var second = await ProvisionAsync();
        Of(second, "none", "wait").Count.ShouldBe(second.GetProperty("assets").GetArrayLength());
        (await CountAsync()).ShouldBe((3, 7, 2));
    }

    [Fact]
    public async Task ADryRunSaysWhatTheRunThenDoesAndDoesNothing()
    {
        var dry = await ProvisionAsync("""{"dryRun":true}""");
        (await CountAsync()).ShouldBe((0, 0, 0));
        var done = await ProvisionAsync();
        Of(dry, "create", "update").ShouldBe(Of(done, "create", "update"));
    }

    [Fact]
    public async Task AnEditByHandIsOneDifferenceAndWhatWeSayNothingOfStays()
    {
        await ProvisionAsync();
        var monitor = (await MonitorsAsync()).Single(m => Tags(m).Contains("streamspace-key:high-session-count"));
        await _run.SendAsync(
            HttpMethod.Put,
            $"/api/v1/monitor/{monitor.GetProperty("id")}",
            $$"""
            {
              "query": "avg(last_5m):sum:streamspace.session.active{*} > 100",
              "tags": [{{string.Join(',', Tags(monitor).Append("team:desktop").Select(t => $"\"{t}\""))}}],
              "options": {
                "thresholds": { "critical": 100, "critical_recovery": 95 },
                "on_missing_data": "show_no_data", "new_group_delay": 0, "require_full_window": false,
                "include_tags": true, "notify_audit": false, "renotify_interval": 30
              }
            }
            """
        );
        var run = await ProvisionAsync();
        Of(run, "update").ShouldBe([("monitor", "high-session-count")]);
        var difference = Asset(run, "high-session-count").GetProperty("differences").EnumerateArray().Single();
        difference.GetProperty("field").GetString().ShouldBe("options.thresholds.critical_recovery");
        difference.GetProperty("now").GetDouble().ShouldBe(95);
        difference.GetProperty("wanted").GetDouble().ShouldBe(90);
        var after = (await MonitorsAsync()).Single(m => Tags(m).Contains("streamspace-key:high-session-count"));
        after.GetProperty("options").GetProperty("renotify_interval").GetInt32().ShouldBe(30);
        Tags(after).ShouldContain("team:desktop");
        Of(await ProvisionAsync(), "update").ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasRenamedIsFoundAgainAndWhatWasDeletedIsMadeAgain()
    {
        await ProvisionAsync();
        var dashboards = (await _run.GetAsync("/api/v1/dashboard")).GetProperty("dashboards").EnumerateArray().ToList();
        var (renamed, deleted) = (Id(dashboards, "Session Overview"), Id(dashboards, "User Activity"));
        var whole = (await _run.GetAsync($"/api/v1/dashboard/{renamed}")).GetRawText();
        await _run.SendAsync(
            HttpMethod.Put,
            $"/api/v1/dashboard/{renamed}",
            whole.Replace("\"Session Overview\"", "\"Ours\"", StringComparison.Ordinal)
        );
        await _run.SendAsync(HttpMethod.Delete, $"/api/v1/dashboard/{deleted}");
        var run = await ProvisionAsync();
        Of(run, "update").ShouldBe([("dashboard", "session-overview")]);
        Of(run, "create").ShouldBe([("dashboard", "user-activity")]);
        var after = (await _run.GetAsync("/api/v1/dashboard")).GetProperty("dashboards").EnumerateArray().ToList();
        Id(after, "Session Overview").ShouldBe(renamed);
        after.Count.ShouldBe(3);
    }

    [Fact]
    public async Task OfADashboardAndItsCloneTheOlderOneIsOurs()
    {
        await ProvisionAsync();
        var dashboards = (await _run.GetAsync("/api/v1/dashboard")).GetProperty("dashboards").EnumerateArray().ToList();
        var whole = (await _run.GetAsync($"/api/v1/dashboard/{Id(dashboards, "User Activity")}")).GetRawText();
        _run.Host.FakeClock.Advance(TimeSpan.FromSeconds(5));
        await _run.SendAsync(
            HttpMethod.Post,
            "/api/v1/dashboard",
            whole.Replace("\"User Activity\"", "\"Ada's own\"", StringComparison.Ordinal)
        );
        Of(await ProvisionAsync(), "create", "update").ShouldBeEmpty();
        (await _run.GetAsync("/api/v1/dashboard")).GetRawText().ShouldContain("Ada\\u0027s own");
    }

    [Fact]
    public async Task TheOverviewShowsTheSlosOfTheAccount()
    {
        await ProvisionAsync();
        var slos = (await _run.GetAsync("/api/v1/slo"))
            .GetProperty("data")
            .EnumerateArray()
            .Select(s => Id(s))
            .ToList();
        var dashboards = (await _run.GetAsync("/api/v1/dashboard")).GetProperty("dashboards").EnumerateArray().ToList();
        var overview = (
            await _run.GetAsync($"/api/v1/dashboard/{Id(dashboards, "StreamSpace Overview")}")
        ).GetRawText();
        slos.ShouldAllBe(id => overview.Contains($"\"slo_id\":\"{id}\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DeletingTakesAllAwayThoughADashboardShowsTheSlos()
    {
        await ProvisionAsync();
        await _run.SendAsync(HttpMethod.Post, "/api/v1/monitor", Foreign);
        var run = await ProvisionAsync("""{"delete":true}""");
        Failed(run).ShouldBeEmpty();
        (await CountAsync()).ShouldBe((0, 1, 0));
        Of(run, "remove")[0].Kind.ShouldBe("entity");
        Of(await ProvisionAsync("""{"delete":true}"""), "remove").ShouldBeEmpty();
    }

    [Fact]
    public async Task AMetricThatDatadogHasNotHeardOfWaitsAndIsTriedAgain()
    {
        Of(await ProvisionAsync(), "wait").ShouldContain(("metadata", "streamspace.session.time_to_ready"));
        (await PercentilesAsync()).ShouldBeFalse();
        var session = Some.Session("bob-chrome", _run.Now.AddMinutes(-1));
        await _run.HandleAsync(new SessionStarted(session, _run.Now) { Id = "bob-started" });
        await _run.FlushAsync();
        _run.Host.FakeClock.Advance(TimeSpan.FromMinutes(5));
        await Patience.Until(async () =>
            Of(await LastAsync(), "update").Contains(("metadata", "streamspace.session.time_to_ready"))
            && Of(await LastAsync(), "create").Contains(("percentiles", "streamspace.session.time_to_ready"))
        );
        (await PercentilesAsync()).ShouldBeTrue();
        var metadata = await _run.GetAsync("/api/v1/metrics/streamspace.session.time_to_ready");
        metadata.GetProperty("unit").GetString().ShouldBe("second");
    }

    [Fact]
    public async Task A429IsWaitedOutAsLongAsDatadogSays()
    {
        await FaultAsync("""{"path":"/api/v1/monitor","status":429,"times":1,"headers":{"X-RateLimit-Reset":"7"}}""");
        var begun = _run.Now;
        var run = ProvisionAsync();
        await Patience.Until(() =>
        {
            _run.Host.FakeClock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(run.IsCompleted);
        });
        Failed(await run).ShouldBeEmpty();
        (_run.Now - begun).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(7));
        (await CountAsync()).ShouldBe((3, 7, 2));
    }

    [Fact]
    public async Task WhatIsRefusedCostsItselfAloneAndNamesTheRightThatIsMissing()
    {
        (
            await _run.ConfigureAsync($$"""{"site":"sandbox","metricsInterval":10,"appKey":"{{Secret.AppKey}}"}""")
        ).ShouldBeEmpty();
        await FaultAsync(
            $$"""{"path":"/api/v1/slo","status":403,"times":9,"body":"{\"errors\":[\"Forbidden for {{Secret.AppKey}}\"]}"}"""
        );
        var run = await ProvisionAsync();
        Failed(run).ShouldBe([("slo", "starts-that-succeed"), ("slo", "starts-within-a-minute")]);
        var error = Asset(run, "starts-that-succeed").GetProperty("error").GetString()!;
        // Whoever answers may say what he was sent.
        error.ShouldContain("403: Forbidden for [application key]");
        error.ShouldContain("slos_write");
        Of(run, "create").Count(a => a.Kind is "monitor" or "dashboard").ShouldBe(10);
        // Once the right is there, the dashboard gets its SLOs.
        await _run.SendAsync(HttpMethod.Delete, "/sandbox/faults");
        Of(await ProvisionAsync(), "create", "update")
            .ShouldBe([
                ("slo", "starts-that-succeed"),
                ("slo", "starts-within-a-minute"),
                ("dashboard", "streamspace-overview"),
            ]);
    }

    [Fact]
    public async Task AServiceThatSomebodyElseDefinedIsLeftAsItIs()
    {
        await _run.SendAsync(
            HttpMethod.Post,
            "/api/v2/catalog/entity",
            """{"apiVersion":"v3","kind":"service","metadata":{"name":"streamspace","owner":"desktop-team"},"spec":{}}"""
        );
        Failed(await ProvisionAsync()).ShouldBe([("entity", "streamspace")]);
        (await _run.GetAsync("/api/v2/catalog/entity")).GetRawText().ShouldContain("desktop-team");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"dryrun\":true}")]
    [InlineData("{\"dryRun\":\"yes\"}")]
    [InlineData("{")]
    public async Task ABodyThatIsNoneIsRefusedAndNothingIsDone(string body)
    {
        using var answer = await PostAsync(body);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await CountAsync()).ShouldBe((0, 0, 0));
        (await _http.GetStringAsync("/api/plugins/datadog/provision")).ShouldBe("""{"state":"none"}""");
    }

    private const string Foreign = """
        {
          "type": "query alert", "name": "Somebody else's", "query": "avg(last_5m):avg:streamspace.session.active{*} > 5",
          "options": { "thresholds": { "critical": 5 } }
        }
        """;

    private async Task<JsonElement> ProvisionAsync(string body = "")
    {
        using var answer = await PostAsync(body);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        var run = JsonSerializer.Deserialize<JsonElement>(text);
        run.GetProperty("state").GetString().ShouldBe("done");
        run.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null, text);
        return run;
    }

    private async Task<JsonElement> LastAsync() =>
        JsonSerializer.Deserialize<JsonElement>(await _http.GetStringAsync("/api/plugins/datadog/provision"));

    private Task<HttpResponseMessage> PostAsync(string body) =>
        _http.PostAsync("/api/plugins/datadog/provision", new StringContent(body, Encoding.UTF8, "application/json"));

    private Task FaultAsync(string fault) => _run.SendAsync(HttpMethod.Post, "/sandbox/faults", fault);

    private async Task<(int Dashboards, int Monitors, int Slos)> CountAsync() =>
        (
            (await _run.GetAsync("/api/v1/dashboard")).GetProperty("dashboards").GetArrayLength(),
            (await MonitorsAsync()).Count,
            (await _run.GetAsync("/api/v1/slo")).GetProperty("data").GetArrayLength()
        );

    private async Task<List<JsonElement>> MonitorsAsync() =>
        [.. (await _run.GetAsync("/api/v1/monitor")).EnumerateArray()];

    private async Task<bool> PercentilesAsync()
    {
        try
        {
            var configuration = await _run.GetAsync("/api/v2/metrics/streamspace.session.time_to_ready/tags");
            return configuration.GetRawText().Contains("\"include_percentiles\":true", StringComparison.Ordinal);
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static List<(string Kind, string Key)> Of(JsonElement run, params string[] changes) =>
        [
            .. run.GetProperty("assets")
                .EnumerateArray()
                .Where(a => changes.Contains(a.GetProperty("change").GetString()))
                .Select(a => (a.GetProperty("kind").GetString()!, a.GetProperty("key").GetString()!)),
        ];

    private static List<(string Kind, string Key)> Failed(JsonElement run) => Of(run, "fail");

    private static JsonElement Asset(JsonElement run, string key) =>
        run.GetProperty("assets").EnumerateArray().Single(a => a.GetProperty("key").GetString() == key);

    private static string Id(JsonElement asset) => asset.GetProperty("id").GetString()!;

    private static string Id(List<JsonElement> dashboards, string title) =>
        Id(dashboards.Single(d => d.GetProperty("title").GetString() == title));

    private static List<string> Tags(JsonElement monitor) =>
        [.. monitor.GetProperty("tags").EnumerateArray().Select(t => t.GetString()!)];
}
