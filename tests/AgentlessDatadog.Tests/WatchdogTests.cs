using System.Net;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>No stage stands still without being named, and none keeps the others from going on.</summary>
public sealed class WatchdogTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly SearchedLog _log = new();

    [Fact]
    public async Task ALookThatHangsIsNamedAndLeftAndTheOthersGoOn()
    {
        await using var rig = await Rig.StartAsync(log: _log);
        using var gate = new Gate();
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        var looks = 0;
        rig.Pipeline.ObserveGauges(_ => gauge.Set(1));
        rig.Pipeline.ObserveGauges(_ =>
        {
            if (Interlocked.Increment(ref looks) == 1)
            {
                gate.Wait();
            }
        });
        rig.Clock.Advance(Interval);
        await rig.Until(() => Volatile.Read(ref looks) == 1);
        // The first sees it, and three more that it has not moved.
        for (var i = 0; i < 3; i++)
        {
            rig.Clock.Advance(Interval);
        }

        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
        rig.FarEnd.Requests.ShouldBeEmpty();

        rig.Clock.Advance(Interval);
        await rig.Until(() => rig.FarEnd.Series.Any(s => s.Metric == "app.level"));
        _log.Text.ShouldContain("The observation of gauges has stood still for 30 s and is restarted.");
        await rig.KeepAsync(Some.Count());
        await rig.Until(() => rig.FarEnd.Series.Any(s => s.Metric == "app.made"), Interval);
        looks.ShouldBe(1, "none is begun while one hangs");

        gate.Open();
        await TickUntil(rig, () => Volatile.Read(ref looks) > 1);
        await TickUntil(rig, () => rig.Pipeline.Status.Warnings.Count == 0);
    }

    [Fact]
    public async Task ALoopThatHangsIsNamedAndNothingIsPromisedMeanwhile()
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(store: store, log: _log);
        using var gate = new Gate();
        store.OnAppend = _ => gate.Wait();
        var kept = rig.KeepAsync(Some.Count()).AsTask();
        await rig.Until(() => store.Appends == 1);
        for (var i = 0; i < 6; i++)
        {
            rig.Clock.Advance(Interval);
            rig.Pipeline.StoreError.ShouldBeNull();
        }
        rig.Clock.Advance(Interval);
        const string sentence = "The loop that commits and flushes has stood still for 60 s: start the service again.";
        rig.Pipeline.StoreError.ShouldBe(sentence);
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().Sentence.ShouldBe(sentence);

        gate.Open();
        await kept;
        await TickUntil(rig, () => rig.Pipeline.StoreError is null && rig.Pipeline.Status.Warnings.Count == 0);
    }

    [Fact]
    public async Task AStoreThatHangsOnASettlementIsLeftAndTheLaneGoesOn()
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(store: store, log: _log);
        // Its answer is there, but what becomes of it cannot be written down.
        using var gate = new Gate();
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
        await rig.KeepAsync(Some.Count());
        rig.FarEnd.Answer = _ =>
        {
            store.Gate = gate.Opened;
            return FarEndAnswer.Accepted;
        };
        await rig.FlushAsync();
        await rig.Until(() => store.Settlements == 2);
        await TickUntil(rig, () => rig.Ledger(Lane.Metrics).Delivered == 2);
        rig.Pipeline.StoreError.ShouldNotBeNull().ShouldContain("does not answer");
        gate.Open();
        await TickUntil(rig, () => rig.Pipeline.Status.Warnings.Count == 0);
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 2);
    }

    [Fact]
    public async Task AStoreThatHangsOnAReadIsLeftAndTheRequestIsTriedAgain()
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(store: store, log: _log);
        using var gate = new Gate();
        store.ReadGate = gate.Opened;
        await rig.KeepAsync(new DatadogEvent("Told", "", rig.Clock.GetUtcNow()));
        await TickUntil(rig, () => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        rig.Lane(Lane.Events).LastError.ShouldBe("The store does not answer.");
        store.ReadGate = Task.CompletedTask;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task ALaneThatHangsIsNamedAndBegunAnew()
    {
        using var gate = new Gate();
        using var way = new Hanging(gate);
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
        await using var pipeline = new TelemetryPipeline(
            new MemoryStore(),
            new TelemetryOptions { ApiKey = Secret.ApiKey, FlushInterval = Interval },
            clock,
            () => 0.5,
            _log,
            _ => way
        );
        await pipeline.StartAsync(default);
        await pipeline.KeepAsync([new DatadogEvent("First", "", clock.GetUtcNow())], default);
        await Patience.Until(() => way.Requests == 1);
        for (var i = 0; i < 4; i++)
        {
            _log.Text.ShouldNotContain("stood still");
            clock.Advance(Interval);
        }
        _log.Text.ShouldContain("The lane events has stood still for 30 s and is restarted.");
        await pipeline.KeepAsync([new DatadogEvent("Second", "", clock.GetUtcNow())], default);
        await Patience.Until(() => Events().Delivered == 1);
        gate.Open();
        await Patience.Until(() => Events().Delivered == 2);

        LaneLedger Events() => pipeline.Status.Lanes.Single(lane => lane.Lane == Lane.Events.Name).Ledger;
    }

    [Fact]
    public async Task ABackOffAndAParkedLaneAreNoStandstill()
    {
        await using var rig = await Rig.StartAsync(log: _log);
        rig.FarEnd.Answer = r => new FarEndAnswer(r.Path == "/api/v1/events" ? 503 : 403, """{"errors":["no"]}""");
        await rig.KeepAsync([Some.Count()], [new("Told", "", rig.Clock.GetUtcNow())]);
        await rig.FlushAsync();
        await rig.Until(() => rig.Pipeline.Status.Lanes.Count(lane => lane.State != LaneState.Open) == 2);
        for (var i = 0; i < 20; i++)
        {
            await rig.Until(() => rig.IsQuiet);
            rig.Clock.Advance(Interval);
            await rig.FlushNowAsync();
        }
        _log.Text.ShouldNotContain("stood still");
    }

    [Fact]
    public async Task AnIdlePipelineIsNoStandstillAndItsCanaryGoesThroughTheStore()
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(store: store, log: _log);
        for (var i = 1; i <= 5; i++)
        {
            rig.Clock.Advance(Interval);
            await rig.Until(() => store.Appends == i);
            // Behind the canary: the next is not sent off before it is back.
            await rig.FlushNowAsync();
        }
        _log.Text.ShouldNotContain("stood still");
        rig.FarEnd.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(10, 3)]
    [InlineData(5, 6)]
    [InlineData(300, 3)]
    public void StandingStillMeansThreeIntervalsAnd30Seconds(int interval, int looks)
    {
        var restarts = 0;
        var pulse = new Heartbeat();
        var warnings = new Warnings(_log, TimeProvider.System);
        var watchdog = new Watchdog([new Stage("A stage", pulse, () => restarts++)], warnings);
        pulse.Beat();
        for (var i = 0; i < looks; i++)
        {
            watchdog.Look(TimeSpan.FromSeconds(interval));
            restarts.ShouldBe(0);
        }
        watchdog.Look(TimeSpan.FromSeconds(interval));
        restarts.ShouldBe(1);
        warnings.Current.ShouldHaveSingleItem().Sentence.ShouldContain($"{looks * interval} s");

        pulse.Beat();
        watchdog.Look(TimeSpan.FromSeconds(interval));
        warnings.Current.ShouldBeEmpty();
        pulse.Rest();
        for (var i = 0; i < looks * 2; i++)
        {
            watchdog.Look(TimeSpan.FromSeconds(interval));
        }

        restarts.ShouldBe(1);
    }

    // The first request does not even come back to be waited for.
    private sealed class Hanging(Gate gate) : HttpMessageHandler
    {
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token)
        {
            if (Interlocked.Increment(ref _requests) == 1)
            {
                gate.Wait();
            }

            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.Accepted));
        }
    }

    // Whether something is on its way or not: something is stuck.
    private static Task TickUntil(Rig rig, Func<bool> holds) =>
        rig.Until(() =>
        {
            if (holds())
            {
                return true;
            }

            rig.Clock.Advance(Interval);
            return false;
        });
}
