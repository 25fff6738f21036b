using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What the status says to people, and where the settings in force come from.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task EveryTimeIsIso8601AndItSaysSinceWhenAndForHowLongItRuns()
    {
        await using var run = await PluginRun.StartAsync();
        var start = run.Now;
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)));
        await run.FlushAsync();
        run.Host.FakeClock.Advance(TimeSpan.FromMinutes(61));
        var status = run.Plugin.Status;
        status["startedAt"]!.GetValue<DateTimeOffset>().ShouldBe(start);
        status["uptime"]!.GetValue<string>().ShouldBe("1 h 1 min");
        status["lastFlush"]!["at"]!.GetValue<DateTimeOffset>().ShouldBeGreaterThan(start);
        status["dataFolder"]!.GetValue<string>().ShouldBe(run.Host.DataFolder);
        status["instance"]!.GetValue<string>().ShouldStartWith("instance:");
        Numbers(status).ShouldAllBe(number => number < 1_000_000_000, "no Unix seconds");
    }

    [Theory]
    [InlineData("true", "true", "false", "metrics", "distributions", "events", "traces")]
    [InlineData("false", "false", "true", "events", "logs")]
    [InlineData("true", "false", "false", "metrics", "distributions", "events")]
    public async Task WhatIsNotSentHasNoLaneThatLooksOpenAndNoMetric(
        string enableMetrics,
        string enableTraces,
        string enableLogs,
        params string[] lanes
    )
    {
        await using var run = await PluginRun.StartAsync(
            $$"""
            {"site":"sandbox","metricsInterval":10,
             "enableMetrics":{{enableMetrics}},"enableTraces":{{enableTraces}},"enableLogs":{{enableLogs}}}
            """
        );
        await run.FlushAsync();
        run.Plugin.Status["lanes"]!.AsArray().Select(lane => lane!["lane"]!.GetValue<string>()).ShouldBe(lanes);
        var told = await run.LastAsync("sum:streamspace.datadog.queued{*} by {lane}");
        told.Keys.ShouldBe(enableMetrics == "true" ? lanes.Select(lane => $"lane:{lane}") : [], ignoreOrder: true);
        run.Plugin.Status["verdict"]!["sentence"]!
            .GetValue<string>()
            .Contains("but for metrics, which are switched off")
            .ShouldBe(enableMetrics == "false");
    }

    [Fact]
    public async Task OpenSessionsAreToldByTheirStatesSoThatActiveIsSeenToBeAPartOfThem()
    {
        await using var run = await PluginRun.StartAsync();
        run.Apply(
            Some.Session("s1", run.Now),
            Some.Session("s2", run.Now, state: SessionState.Requested),
            Some.Session("s3", run.Now, state: SessionState.Hibernated),
            Some.Session("s4", run.Now, state: SessionState.Failed),
            Some.Session("s5", run.Now, state: SessionState.Ending),
            Some.Session("s6", run.Now, state: SessionState.Starting)
        );
        await run.FlushAsync();
        var sessions = run.Plugin.Status["sessions"]!.AsObject();
        sessions
            .ToDictionary(s => s.Key, s => s.Value!.GetValue<int>())
            .ShouldBe(
                new Dictionary<string, int>
                {
                    ["open"] = 6,
                    ["active"] = 2,
                    ["requested"] = 1,
                    ["starting"] = 1,
                    ["running"] = 1,
                    ["hibernated"] = 1,
                    ["failed"] = 1,
                    ["ending"] = 1,
                }
            );
        (await run.LastAsync("sum:streamspace.session.active{*}")).Values.ShouldBe([2]);
    }

    [Fact]
    public async Task EverySettingSaysWhereItComesFrom()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        await File.WriteAllTextAsync(file, Secret.ApiKey);
        var plugin = PluginRun.NewPlugin();
        var host = new HostStandIn
        {
            Environment = new Dictionary<string, string>
            {
                ["DD_API_KEY_FILE"] = file,
                ["DD_DD_URL"] = "http://intake.example.com",
                ["HTTP_PROXY"] = "proxy.example.com:3128",
                ["DD_ENV"] = "test",
                ["DD_TAGS"] = "a:b",
            },
        };
        await plugin.LoadAsync(host, CancellationToken.None);
        var settings = new PluginSettings(new JsonObject { ["cluster"] = "west", ["metricsInterval"] = 20 }).With(
            new JsonObject { ["metricsInterval"] = "30", ["globalTags"] = "team:x" },
            SettingOrigin.Row
        );
        (await plugin.ConfigureAsync(settings, CancellationToken.None)).ShouldBeEmpty();

        Says("apiKey", SettingOrigin.Environment, "DD_API_KEY_FILE");
        Says("intakeUrl", SettingOrigin.Environment, "DD_DD_URL");
        Says("proxy", SettingOrigin.Environment, "HTTP_PROXY");
        Says("cluster", SettingOrigin.Saved);
        Says("metricsInterval", SettingOrigin.Row);
        Says("globalTags", SettingOrigin.Row, "DD_ENV", "DD_TAGS");
        Says("userTag", SettingOrigin.Default);
        plugin.Origins.Keys.ShouldBe(Manifests.Ours().ConfigSchema.Keys, ignoreOrder: true);
        var status = plugin.Status;
        status["origins"]!
            .ToJsonString()
            .ShouldBe(
                """{"apiKey":"DD_API_KEY_FILE","globalTags":"row, and DD_ENV, DD_TAGS","metricsInterval":"row","intakeUrl":"DD_DD_URL","proxy":"HTTP_PROXY","cluster":"saved"}"""
            );
        status["tags"]!.ToJsonString().ShouldBe("""["team:x","env:test","a:b","cluster:west"]""");
        await plugin.UnloadAsync(new CancellationToken(canceled: true));
        File.Delete(file);

        void Says(string key, SettingOrigin origin, params string[] variables)
        {
            plugin.Origins[key].Origin.ShouldBe(origin, key);
            plugin.Origins[key].Variables.ShouldBe(variables, key);
        }
    }

    [Fact]
    public async Task APlaceThatIsNotAppliedIsNoOriginOfWhatIsInForce()
    {
        var plugin = PluginRun.NewPlugin();
        var host = new HostStandIn { Environment = new Dictionary<string, string> { ["DD_API_KEY"] = Secret.ApiKey } };
        await plugin.LoadAsync(host, CancellationToken.None);
        var row = new JsonObject { ["intakeUrl"] = "http://127.0.0.3:1", ["proxy"] = "http://127.0.0.3:2" };
        await plugin.ConfigureAsync(new PluginSettings([]).With(row, SettingOrigin.Row), CancellationToken.None);
        plugin.Origins["intakeUrl"].Origin.ShouldBe(SettingOrigin.Default);
        plugin.Origins["proxy"].Origin.ShouldBe(SettingOrigin.Default);
        await plugin.UnloadAsync(new CancellationToken(canceled: true));
    }

    [Theory]
    [InlineData("globalTags", "[\"env:other\"]")]
    [InlineData("cluster", "\"west\"")]
    [InlineData("userTag", "\"id\"")]
    [InlineData("sessionTagOnDuration", "false")]
    public async Task WhatAChangeOfTagsDoesToTheChartsIsSaidUntilItIsOverAndIsNoTrouble(string key, string value)
    {
        await using var run = await PluginRun.StartAsync();
        run.Apply(Some.Session("s1", run.Now));
        await run.FlushAsync();
        (await run.ConfigureAsync($$"""{"site":"sandbox","metricsInterval":10,"{{key}}":{{value}}}""")).ShouldBeEmpty();
        Said().ShouldBe([key]);
        run.Plugin.Status["verdict"]!["state"]!.GetValue<string>().ShouldBe("ok");

        await run.FlushAsync();
        await run.FlushAsync();
        Said().ShouldBeEmpty();

        IEnumerable<string> Said() =>
            run.Plugin.Findings.Where(f => f.Found.Contains("sum: counts them twice")).Select(f => f.What);
    }

    [Fact]
    public async Task AChangeOfSomethingElseSaysNothingOfCharts()
    {
        await using var run = await PluginRun.StartAsync();
        await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":20,"queueMaxBytes":2000000}""");
        run.Plugin.Findings.ShouldBeEmpty();
    }

    private static IEnumerable<double> Numbers(JsonNode? node) =>
        node switch
        {
            JsonObject inner => inner.SelectMany(p => Numbers(p.Value)),
            JsonArray list => list.SelectMany(Numbers),
            JsonValue value when value.GetValueKind() is System.Text.Json.JsonValueKind.Number =>
            [
                double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture),
            ],
            _ => [],
        };
}
