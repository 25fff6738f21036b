using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>What will be lost is told before it is, and what was lost is told once the far end is back.</summary>
public sealed class ExpiryTests
{
    private readonly SearchedLog _log = new();

    [Fact]
    public async Task WhatWillBeTooOldIsToldAtHalfItsAgeAndOnce()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null }, log: _log);
        await rig.KeepAsync(Some.Count(), Some.Count());
        await rig.FlushAsync();
        var made = rig.Clock.GetUtcNow();

        await PassAsync(rig, TimeSpan.FromMinutes(29));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
        await PassAsync(rig, TimeSpan.FromMinutes(2));
        var at = made.AddHours(1).ToString("yyyy-MM-dd HH:mm:ss");
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().Sentence.ShouldContain("2 metric points have waited");
        rig.Pipeline.Status.Warnings[0].Sentence.ShouldContain(at);
        await PassAsync(rig, TimeSpan.FromMinutes(10));
        _log.Text.Split('\n').Count(line => line.Contains(at)).ShouldBe(1);

        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.UntilSent();
        await rig.FlushAsync();
        await rig.Until(() => rig.Pipeline.Status.Warnings.Count == 0);
    }

    [Fact]
    public async Task WhatThePipelineSaysAboutItselfIsNoLoss()
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                ApiKey = null,
                SelfMetrics = new SelfMetrics("app.datadog.", []),
            }
        );
        await PassAsync(rig, TimeSpan.FromMinutes(31));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
        rig.Pipeline.Status.Queue.Requests.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task PointsAreGivenUpAfterAnHourAndAllElseAfter18()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null, FlushInterval = TimeSpan.FromDays(1) });
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushNowAsync();
        // What is still in the hands of a lane is in nobody else's reach.
        await rig.Until(() => rig.Pipeline.Status.Lanes.All(lane => lane.ParkReason == ParkReason.KeyMissing));
        await AfterAsync(TimeSpan.FromMinutes(59));
        (rig.Ledger(Lane.Metrics).Queued, rig.Ledger(Lane.Distributions).Queued).ShouldBe((1, 1));
        await AfterAsync(TimeSpan.FromMinutes(2));
        (rig.Ledger(Lane.Metrics).Expired, rig.Ledger(Lane.Distributions).Expired).ShouldBe((1, 1));
        await AfterAsync(TimeSpan.FromMinutes(16 * 60 + 58));
        foreach (var lane in new[] { Lane.Events, Lane.Logs, Lane.Traces })
        {
            rig.Ledger(lane).ShouldBe(1, queued: 1);
        }

        await AfterAsync(TimeSpan.FromMinutes(2));
        foreach (var lane in new[] { Lane.Events, Lane.Logs, Lane.Traces })
        {
            rig.Ledger(lane).ShouldBe(1, expired: 1);
        }

        async Task AfterAsync(TimeSpan time)
        {
            rig.Clock.Advance(time);
            await rig.FlushNowAsync();
            await rig.FlushNowAsync();
        }
    }

    [Fact]
    public async Task AQueueThatGetsFullIsToldBeforeTheOldestGoes()
    {
        await using var rig = await Rig.StartAsync(o => o with { QueueMaxBytes = 10_000, ApiKey = null });
        while (rig.Pipeline.Status.Warnings.Count == 0)
        {
            rig.Ledger(Lane.Events).Expired.ShouldBe(0);
            await rig.KeepAsync(new DatadogEvent("Told", new string('x', 400), rig.Clock.GetUtcNow()));
        }
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().Sentence.ShouldContain("of 10000 bytes");
        rig.Ledger(Lane.Events).Expired.ShouldBe(0);
    }

    [Fact]
    public async Task OnceTheFarEndIsBackOneEventTellsWhatWasLostFromWhenToWhen()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        var first = rig.Clock.GetUtcNow().AddSeconds(1);
        for (var i = 0; i < 3; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
        }
        await PassAsync(rig, TimeSpan.FromMinutes(61));
        rig.Ledger(Lane.Metrics).ShouldBe(3, expired: 3);
        rig.FarEnd.Requests.ShouldNotContain(r => r.Path == "/api/v1/events", "the lane is not back");

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            await rig.FlushAsync();
            await rig.UntilSent();
        }
        var told = rig.FarEnd.Requests.Where(r => r.Path == "/api/v1/events").ShouldHaveSingleItem();
        var text = Encoding.UTF8.GetString(told.Body);
        text.ShouldContain("3 metric points were lost");
        text.ShouldContain($"from {first:yyyy-MM-dd HH:mm:ss} to {first.AddSeconds(2):yyyy-MM-dd HH:mm:ss} UTC");
        text.ShouldContain("too old for Datadog");
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task WhatAQuietLaneLostIsToldWhenAnotherGetsThrough()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync(Some.Distribution());
        await rig.FlushAsync();
        await PassAsync(rig, TimeSpan.FromMinutes(61));
        await rig.Until(() => rig.Ledger(Lane.Distributions).Expired == 1, TimeSpan.FromSeconds(1));

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        for (var i = 0; i < 3; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        var told = rig.FarEnd.Requests.Where(r => r.Path == "/api/v1/events").ShouldHaveSingleItem();
        Encoding.UTF8.GetString(told.Body).ShouldContain("1 distribution points were lost");
    }

    [Fact]
    public async Task AProcessThatEndsBeforeTheFarEndIsBackLeavesTheEventForTheNext()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await PassAsync(rig, TimeSpan.FromMinutes(61));
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await rig.StopAsync(now.Token);

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.RestartAsync();
        await rig.UntilSent();
        Encoding.UTF8.GetString(rig.FarEnd.Requests[^1].Body).ShouldContain("1 metric points were lost");
    }

    [Fact]
    public async Task WhatTheStoreDoesNotLetGoIsGivenUpOnceItDoes()
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null }, store);
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        store.SettleFails = true;
        await PassAsync(rig, TimeSpan.FromMinutes(61));
        rig.Ledger(Lane.Metrics).ShouldBe(1, queued: 1);

        store.SettleFails = false;
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Metrics).ShouldBe(1, expired: 1);
        rig.Pipeline.Status.Queue.ShouldBe(new QueueStatus(0, 0, null));
    }

    // In steps, as the interval flushes, each of which looks at what is old.
    private static async Task PassAsync(Rig rig, TimeSpan time)
    {
        for (var end = rig.Clock.GetUtcNow() + time; rig.Clock.GetUtcNow() < end; )
        {
            // What is on its way is in nobody's reach.
            await rig.Until(() => rig.IsQuiet);
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
            await rig.FlushNowAsync();
        }
        // What a cut gives up is given up before the next.
        await rig.FlushNowAsync();
    }
}
