using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>What arrives in Datadog when something happens on the platform.</summary>
public sealed class MetricTests
{
    [Fact]
    public async Task BeforeThePlatformIsKnownThereAreNoZeros()
    {
        await using var run = await PluginRun.StartAsync();
        await run.FlushAsync();
        // An empty beginning, while a source is away.
        run.ApplySnapshot();
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.sessions.total{*} by {state}")).ShouldBeEmpty();

        run.Plugin.Apply(new PlatformState { IsSnapshot = true, IsWhole = true });
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.sessions.total{*} by {state}")).Count.ShouldBe(4);
    }

    [Fact]
    public async Task WhileTheHostCatchesUpSessionsAreNotNumberedAndFactsCountAllTheSame()
    {
        await using var run = await PluginRun.StartAsync();
        var (first, second) = (Some.Session("ada-chrome-1", run.Now), Some.Session("ada-chrome-2", run.Now));
        await run.HandleAsync(Some.Created(first));
        await run.FlushAsync();
        // The second has ended, which is not told yet.
        run.Plugin.Apply(new PlatformState { Sessions = [second], IsCatchingUp = true });
        await run.HandleAloneAsync(Some.Created(second));
        await run.FlushAsync();
        await run.HandleAsync(Some.Ended(second, run.Now));
        await run.FlushAsync();

        (await run.PointsAsync("sum:streamspace.session.active{*}.rollup(max, 1)"))
            .Values.ShouldHaveSingleItem()
            .ShouldBe([1, 1]);
        (await run.PointsAsync("sum:streamspace.sessions.total{*}.rollup(max, 1)"))
            .Values.ShouldHaveSingleItem()
            .Count.ShouldBe(2);
        (await run.SumAsync("sum:streamspace.session.created{*}.as_count()")).Values.ShouldBe([2]);
    }

    [Fact]
    public async Task ALifeIsCountedOnceWithUserAndTemplate()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("ada-chrome-1", run.Now);
        await run.HandleAsync(Some.Created(session), Some.Ended(session, run.Now.AddSeconds(4)));
        await run.FlushAsync();

        (await run.SumAsync("sum:streamspace.session.created{*} by {user,template}.as_count()")).ShouldBe(
            new() { ["template:chrome,user:ada"] = 1 }
        );
        (await run.SumAsync("sum:streamspace.session.terminated{user:ada,template:chrome}.as_count()"))
            .Values.ShouldHaveSingleItem()
            .ShouldBe(1);
    }

    [Fact]
    public async Task WhatHasLapsedIsHeldNoMore()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("ada-chrome-1", run.Now);
        await run.HandleAsync(Some.Created(session));
        run.Plugin.Status["sessions"]!["open"]!.GetValue<int>().ShouldBe(1);

        run.Apply(session with { State = SessionState.Lapsed });
        run.Plugin.Status["sessions"]!["open"]!.GetValue<int>().ShouldBe(0);
        run.Apply(session);
        run.Plugin.Status["sessions"]!["open"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public async Task ActiveIsCountedFromWhatIsOpenAndFallsToZero()
    {
        await using var run = await PluginRun.StartAsync();
        var first = Some.Session("s1", run.Now);
        var second = Some.Session("s2", run.Now);
        var asleep = Some.Session("s3", run.Now, state: SessionState.Hibernated);
        await run.HandleAsync(Some.Created(first), Some.Created(second), Some.Created(asleep));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).ShouldBe(new() { ["user:ada"] = 2 });

        await run.HandleAsync(Some.Ended(first, run.Now), Some.Ended(second, run.Now));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).ShouldBe(new() { ["user:ada"] = 0 });
        (await run.LastAsync("sum:streamspace.sessions.total{*} by {state}")).ShouldBe(
            new Dictionary<string, double>
            {
                ["state:requested"] = 0,
                ["state:running"] = 0,
                ["state:hibernated"] = 1,
                ["state:failed"] = 0,
            },
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task ARequestIsCountedAsOneUntilItShowsOrFails()
    {
        await using var run = await PluginRun.StartAsync();
        var asked = Some.Session("s1", run.Now, state: SessionState.Requested);
        await run.HandleAsync(Some.Created(asked));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.sessions.total{state:requested}")).Values.ShouldBe([1]);
        (await run.LastAsync("sum:streamspace.session.active{*}")).Values.Sum().ShouldBe(0);
        (await run.LastAsync("max:streamspace.session.duration{*}")).ShouldBeEmpty();

        var failed = asked with { State = SessionState.Failed };
        await run.HandleAsync(
            new SessionFailed(failed, run.Now, "nothing was made of the request")
            {
                Id = "s1/failed",
                Cause = FailureCause.Timeout,
            }
        );
        run.Apply(failed);
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.failed{*} by {reason}")).ShouldBe(
            new() { ["reason:timeout"] = 1 }
        );
        (await run.LastAsync("sum:streamspace.sessions.total{state:requested}")).Values.ShouldBe([0]);
        (await run.LastAsync("sum:streamspace.sessions.total{state:failed}")).Values.ShouldBe([1]);
        (await run.LastAsync("max:streamspace.session.duration{*}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasActiveBeforeARestartAndIsNoMoreFallsToZero()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now);
        run.ApplySnapshot(session);
        await run.HandleAsync(Some.Ended(session, run.Now));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*} by {user}")).ShouldBe(new() { ["user:ada"] = 0 });
    }

    [Fact]
    public async Task AZeroIsSentToTheEndOfTheHourAndThenNoMore()
    {
        await using var run = await PluginRun.StartAsync("""{"site":"sandbox","metricsInterval":300}""");
        var session = Some.Session("s1", run.Now);
        await run.HandleAsync(Some.Created(session));
        await run.FlushAsync(300);
        await run.HandleAsync(Some.Ended(session, run.Now));
        // 10:25 at the first cut with a zero's cause: zeros at 10:30 … 10:55, none at 11:00 and later.
        for (var i = 0; i < 9; i++)
        {
            await run.FlushAsync(300);
        }
        (await run.PointsAsync("sum:streamspace.session.active{*}.rollup(sum, 300)"))
            .Values.ShouldHaveSingleItem()
            .ShouldBe([1, 0, 0, 0, 0, 0, 0]);
    }

    [Fact]
    public async Task DurationGrowsWhileAwakeAndClosesOnItsFinalValue()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddSeconds(-100));
        run.Apply(session);
        await run.FlushAsync();
        await run.HandleAsync(Some.Ended(session, run.Now.AddSeconds(5)));
        await run.FlushAsync();
        await run.FlushAsync();
        (await run.PointsAsync("max:streamspace.session.duration{session:s1}.rollup(max, 1)"))
            .Values.ShouldHaveSingleItem()
            .ShouldBe([110, 115]);
    }

    [Fact]
    public async Task WithoutTheSessionTagTheLongestDurationIsSent()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"sessionTagOnDuration":false}"""
        );
        run.Apply(Some.Session("s1", run.Now.AddSeconds(-50)), Some.Session("s2", run.Now.AddSeconds(-90)));
        await run.FlushAsync();
        (await run.LastAsync("max:streamspace.session.duration{*} by {session,user}")).ShouldBe(
            new() { ["user:ada"] = 100 }
        );
    }

    [Fact]
    public async Task UsageIsSentPerSessionAndOnlyWhileItIsMeasured()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now);
        await run.HandleAsync(Some.Created(session));
        run.Measure(session, 50, 2_000_000_000, null);
        await run.FlushAsync();
        await run.FlushAsync();
        (await run.PointsAsync("avg:streamspace.session.cpu_usage{*} by {session,user,template}.rollup(avg, 1)"))
            .ShouldHaveSingleItem()
            .Value.ShouldBe([50]);
        (await run.LastAsync("avg:streamspace.session.memory_usage{session:s1}")).Values.ShouldBe([2_000_000_000]);
        (await run.LastAsync("avg:streamspace.session.storage_usage{*}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task DistributionsReplaceTheGaugesUnderOtherNamesAndCarryTheTemplateAlone()
    {
        await using var run = await PluginRun.StartAsync(
            """{"site":"sandbox","metricsInterval":10,"useDistributions":true}"""
        );
        var first = Some.Session("s1", run.Now.AddSeconds(-30));
        var second = Some.Session("s2", run.Now.AddSeconds(-50), user: "bob");
        run.Apply(first, second);
        run.Measure(first, 10, null, null);
        run.Measure(second, 30, null, null);
        await run.FlushAsync();
        (await run.LastAsync("avg:streamspace.session.cpu_usage.dist{*} by {user,template}")).ShouldBe(
            new() { ["template:chrome"] = 20 }
        );
        (await run.LastAsync("max:streamspace.session.duration.dist{*}")).Values.ShouldBe([60]);
        (await run.LastAsync("avg:streamspace.session.cpu_usage{*}")).ShouldBeEmpty();
        (await run.LastAsync("avg:streamspace.session.duration{*}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task ReadinessAndLifetimeAreDistributionsPerTemplate()
    {
        await using var run = await PluginRun.StartAsync();
        var session = Some.Session("s1", run.Now.AddSeconds(-20));
        await run.HandleAsync(
            Some.Created(session),
            new SessionStarted(session, run.Now.AddSeconds(-17)) { Id = "s1/started" },
            Some.Ended(session, run.Now)
        );
        await run.FlushAsync();
        (await run.LastAsync("avg:streamspace.session.time_to_ready{*} by {template}")).ShouldBe(
            new() { ["template:chrome"] = 3 }
        );
        (await run.LastAsync("avg:streamspace.session.lifetime{*} by {template}")).ShouldBe(
            new() { ["template:chrome"] = 20 }
        );
    }

    [Fact]
    public async Task LateFactsAreCountedNowAndSaidSo()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Login("ada", run.Now.AddHours(-3)));
        await run.FlushAsync();
        (await run.SumAsync("sum:streamspace.user.login{*}.as_count()")).Values.ShouldBe([1]);
        (await run.EventsAsync()).ShouldContain(e =>
            e.GetProperty("text").GetString()!.Contains("up to 3 h 0 min late")
        );
    }

    [Theory]
    [InlineData(300, false)]
    [InlineData(301, true)]
    public async Task AFactIsLateFromFiveMinutesOn(int seconds, bool told)
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Login("ada", run.Now.AddSeconds(-seconds)));
        await run.FlushAsync();
        (await run.EventsAsync())
            .Count(e => e.GetProperty("text").GetString()!.Contains($"up to 5 min {seconds - 300} s late"))
            .ShouldBe(told ? 1 : 0);
    }

    [Fact]
    public async Task OnceItsUserAndTemplateAreKnownAllThatIsSaidOfASessionBearsThem()
    {
        await using var run = await PluginRun.StartAsync();
        var unknown = Some.Session("s1", run.Now, user: null, template: null);
        var known = Some.Session("s1", run.Now);
        run.Apply(unknown);
        run.Measure(unknown, 50, 7, 9);
        await run.FlushAsync();
        run.Apply(known);
        run.Measure(known, 60, 8, 10);
        await run.FlushAsync();
        foreach (var metric in (string[])["cpu_usage", "memory_usage", "storage_usage", "duration"])
        {
            var series = await run.PointsAsync(
                $"avg:streamspace.session.{metric}{{session:s1}} by {{user,template}}.rollup(max, 1)"
            );
            series.Keys.ShouldBe(["", "template:chrome,user:ada"], ignoreOrder: true, metric);
            series.Values.ShouldAllBe(points => points.Count == 1, metric);
        }
    }

    [Fact]
    public async Task ASnapshotReplacesWhatWasHeld()
    {
        await using var run = await PluginRun.StartAsync();
        await run.HandleAsync(Some.Created(Some.Session("s1", run.Now)), Some.Created(Some.Session("s2", run.Now)));
        run.ApplySnapshot(Some.Session("s2", run.Now));
        await run.FlushAsync();
        (await run.LastAsync("sum:streamspace.session.active{*}")).Values.ShouldBe([1]);
        (await run.SumAsync("sum:streamspace.session.created{*}.as_count()")).Values.ShouldBe([2]);
    }
}
