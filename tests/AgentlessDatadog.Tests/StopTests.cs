using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

public sealed class StopTests
{
    [Fact]
    public async Task AStopSendsWhatIsLeftAndTakesNothingMore()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepAsync([Some.Count()], [new("Told", "", rig.Clock.GetUtcNow())]);
        await rig.StopAsync(CancellationToken.None);
        rig.FarEnd.Requests.Count.ShouldBe(2);
        rig.Pipeline.Status.Queue.Requests.ShouldBe(0);
        await Should.ThrowAsync<InvalidOperationException>(async () => await rig.KeepAsync(Some.Count()));
    }

    [Fact]
    public async Task AStopEndsWithItsTokenAndTheStoreKeepsTheRest()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(500);
        await rig.KeepAsync(Some.Count());
        using var enough = new CancellationTokenSource();
        var stop = rig.StopAsync(enough.Token).AsTask();
        await rig.Until(() => rig.Lane(Lane.Metrics).State == LaneState.BackingOff);
        stop.IsCompleted.ShouldBeFalse();
        await enough.CancelAsync();
        await stop;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.RestartAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Metrics).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task TheLastCutTellsAllThatWasDeliveredBeforeItAndTheLogTheWholeLedger()
    {
        var log = new SearchedLog();
        await using var rig = await Rig.StartAsync(
            o => o with { SelfMetrics = new SelfMetrics("app.datadog.", []) },
            log: log
        );
        await rig.KeepAsync([Some.Count(), Some.Count("1bad")], [new("Told", "", rig.Clock.GetUtcNow())]);
        await rig.StopAsync(CancellationToken.None);

        double Sum(string name) =>
            rig.FarEnd.Series.Where(s => s.Metric == $"app.datadog.{name}").Sum(s => s.Points[0].Value);
        Sum("accepted").ShouldBe(3);
        Sum("delivered").ShouldBe(2);
        Sum("rejected").ShouldBe(1);
        var line = log.Text.Split('\n').Single(line => line.Contains("Telemetry pipeline stopped"));
        line.ShouldContain(
            "Metrics accepted 2 = delivered 1 + queued 0 + overflowed 0 + expired 0 + rejected 1 + uncertain 0"
        );
        line.ShouldContain(
            "Events accepted 1 = delivered 1 + queued 0 + overflowed 0 + expired 0 + rejected 0 + uncertain 0"
        );
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NeitherAStoreNorALookThatHangsKeepsAStopFromItsEnd(bool isStore)
    {
        await using var store = new FailingStore();
        await using var rig = await Rig.StartAsync(store: store);
        using var gate = new Gate();
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        var hangs = false;
        gauge.Set(1);
        if (isStore)
        {
            store.Gate = gate.Opened;
            store.OnFlush = _ => hangs = true;
        }
        else
        {
            rig.Pipeline.ObserveGauges(_ =>
            {
                hangs = true;
                gate.Wait();
            });
        }
        var stop = rig.StopAsync(CancellationToken.None).AsTask();
        await rig.Until(() => hangs);
        stop.IsCompleted.ShouldBeFalse();
        // The patience of the stop with what hangs.
        rig.Clock.Advance(TimeSpan.FromSeconds(3));
        await rig.Until(() => rig.FarEnd.Requests.Count == 1);
        // And, once it has all been sent, with a store that does not end either.
        await rig.UntilSent();
        // The last cut is the other one: before it the stop would lose patience with that.
        var sent = rig.FarEnd.Series.Single().Points.Single().Second;
        await rig.Until(() => rig.Pipeline.Status.LastFlush?.At.ToUnixTimeSeconds() > sent);
        await rig.Until(() =>
        {
            rig.Clock.Advance(TimeSpan.FromMilliseconds(isStore ? 20 : 0));
            return stop.IsCompleted;
        });
        await stop;
        rig.FarEnd.Series.ShouldContain(s => s.Metric == "app.level", "it was sent from memory");
    }

    [Fact]
    public async Task AParkedLaneIsNotWaitedFor()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null });
        await rig.KeepAsync(Some.Count());
        await rig.StopAsync(CancellationToken.None);
        rig.Ledger(Lane.Metrics).ShouldBe(1, queued: 1);
    }
}
