using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What is switched off is neither sent nor kept for later.</summary>
public sealed class GateTests
{
    [Theory]
    [InlineData(
        "trackSessionMetrics",
        "streamspace.session.created,streamspace.session.active,streamspace.session.duration",
        "Session Created"
    )]
    [InlineData("trackResourceMetrics", "streamspace.session.cpu_usage", null)]
    [InlineData("trackUserMetrics", "streamspace.user.login,streamspace.users.total", "User Logged In")]
    public async Task AFlagSilencesItsSectionAndOnlyThat(string flag, string metrics, string? title)
    {
        string[] all =
        [
            "streamspace.session.created",
            "streamspace.session.active",
            "streamspace.session.duration",
            "streamspace.session.cpu_usage",
            "streamspace.user.login",
            "streamspace.users.total",
        ];
        await using var run = await PluginRun.StartAsync(
            $$"""{"site":"sandbox","metricsInterval":10,"{{flag}}":false}"""
        );
        await EverythingAsync(run);
        foreach (var metric in all)
        {
            (await run.LastAsync($"sum:{metric}{{*}}")).Count.ShouldBe(
                metrics.Split(',').Contains(metric) ? 0 : 1,
                metric
            );
        }
        var titles = (await run.EventsAsync()).Select(e => e.GetProperty("title").GetString()).ToList();
        titles.Contains("Session Created").ShouldBe(title != "Session Created");
        titles.Contains("User Logged In").ShouldBe(title != "User Logged In");
    }

    [Fact]
    public async Task MetricsSwitchedOffAreNotKeptForLaterAndEventsGoOn()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"enableMetrics":false}"""
        );
        await EverythingAsync(run);
        await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":10}""");
        await run.FlushAsync();
        (await run.SumAsync("sum:streamspace.session.created{*}.as_count()")).ShouldBeEmpty();
        (await run.EventsAsync()).ShouldContain(e => e.GetProperty("title").GetString() == "Session Created");
    }

    [Fact]
    public async Task DisabledMeansUnloadedToDatadogAndEnabledLoadedAgain()
    {
        await using var run = await PluginRun.StartAsync();
        await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":10,"enabled":false}""");
        await EverythingAsync(run);
        await run.ConfigureAsync("""{"site":"sandbox","metricsInterval":10,"enabled":true}""");
        await run.FlushAsync();
        (await run.SumAsync("sum:streamspace.session.created{*}.as_count()")).ShouldBeEmpty();
        (await run.LastAsync("sum:streamspace.session.active{*}")).Values.ShouldBe([1]);
        (await run.EventsAsync())
            .Select(e => e.GetProperty("title").GetString())
            .Count(t => t is "Plugin Loaded" or "Plugin Unloaded")
            .ShouldBe(3);
    }

    [Fact]
    public async Task InventedDataNeverLeavesForARealSite()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("invented", run.Now);
        run.Plugin.Apply(
            new PlatformState
            {
                IsSnapshot = true,
                Sessions = [session],
                IsDemo = true,
            }
        );
        await run.ShippedAsync();
        // Another one plays the real site, so that whatever is sent there can be seen.
        await using var real = await PluginRun.StartAsync();
        (
            await run.ConfigureAsync(
                $$"""{"site":"datadoghq.com","apiKey":"{{Secret.ApiKey}}","intakeUrl":"{{real.Host.Sandbox}}","metricsInterval":10}"""
            )
        ).ShouldBeEmpty();
        run.Plugin.KeepsDataLocal.ShouldBeFalse();
        var late = Some.Session("late-invention", run.Now);
        run.Plugin.Apply(new PlatformState { Sessions = [late], IsDemo = true });
        await run.Plugin.HandleAsync(
            new FactBatch("demo", [Some.Created(late) with { Sequence = 1 }]) { IsDemo = true },
            CancellationToken.None
        );
        // The last flush, and all of it that may go to the real site.
        await run.UnloadAsync();
        (await real.LastAsync("sum:streamspace.session.active{*}")).ShouldBeEmpty();
        (await real.SumAsync("sum:streamspace.session.created{*}.as_count()")).ShouldBeEmpty();
        (await real.EventsAsync()).ShouldContain(e => e.GetProperty("title").GetString() == "Plugin Unloaded");
    }

    private static async Task EverythingAsync(PluginRun run)
    {
        var session = Some.Session("s1", run.Now);
        await run.HandleAsync(Some.Created(session), Some.Login("ada", run.Now));
        run.Measure(session, 50, 1, 1);
        run.Plugin.Apply(new PlatformState { Users = 3 });
        await run.FlushAsync();
    }
}
