using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>A test of the connection says of each lane what was answered, and leaves no trace in queue and ledger.</summary>
public sealed class CanaryTests
{
    [Fact]
    public async Task EachLaneThatIsOnIsSentOneCanaryPastTheQueueAndTheLedger()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["env:test"] });
        var tests = await rig.Pipeline.TestAsync();
        tests.Select(test => test.Lane).ShouldBe(Lane.All.Select(lane => lane.Name), ignoreOrder: true);
        tests.ShouldAllBe(test => test.Verdict == Verdict.Delivered && test.Message == null && test.Status == 202);
        foreach (var lane in Lane.All)
        {
            rig.FarEnd.Requests.Count(r => r.Path == lane.Path).ShouldBe(1, lane.Name);
            rig.Ledger(lane).ShouldBe(0);
        }
        rig.FarEnd.Series.Single().Metric.ShouldBe("agentless_datadog.canary");
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ALaneThatIsOffIsSentNone()
    {
        await using var rig = await Rig.StartAsync(o => o with { Metrics = false, Logs = false, Traces = false });
        (await rig.Pipeline.TestAsync()).Select(test => test.Lane).ShouldBe([Lane.Events.Name]);
        rig.FarEnd.Requests.ShouldAllBe(r => r.Path == Lane.Events.Path);
    }

    [Fact]
    public async Task EachLaneTellsItsOwnTroubleWithTheServersWordsAndTheReason()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r =>
            r.Method == "GET" ? new(200, """{"valid":true}""")
            : r.Path == Lane.Metrics.Path ? new(403, """{"errors":["no metrics"]}""")
            : r.Path == Lane.Events.Path ? new(202, """{"errors":["no title"]}""")
            : r.Path == Lane.Logs.Path ? new(503, "")
            : r.Path == Lane.Traces.Path ? new(200, "<html>", "text/html")
            : r.Encoding == "deflate" ? FarEndAnswer.Accepted
            : new(500);
        var tests = (await rig.Pipeline.TestAsync()).ToDictionary(test => test.Lane);
        tests["metrics"].ParkReason.ShouldBe(ParkReason.ProductRefused);
        tests["metrics"].Message.ShouldNotBeNull().ShouldContain("no metrics");
        (tests["events"].Verdict, tests["events"].Message).ShouldBe((Verdict.Bad, "202 Accepted: no title"));
        (tests["logs"].Verdict, tests["logs"].Status).ShouldBe((Verdict.Wait, 503));
        tests["traces"].ParkReason.ShouldBe(ParkReason.NotDatadog);
        tests["distributions"].Verdict.ShouldBe(Verdict.Delivered);
        rig.Lane(Lane.Metrics).State.ShouldBe(LaneState.Open, "what is queued is told by its own answers");
    }

    [Fact]
    public async Task AFarEndThatRefusesACodingIsSentTheNext()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => r.Encoding == "zstd" ? new FarEndAnswer(415) : FarEndAnswer.Accepted;
        (await rig.Pipeline.TestAsync()).ShouldAllBe(test => test.Message == null);
    }

    [Fact]
    public async Task AFarEndThatNeverAnswersCostsABoundedTime()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(202) { Fault = FarEndFault.Stall };
        var testing = rig.Pipeline.TestAsync().AsTask();
        await rig.Until(() => rig.FarEnd.Held >= Lane.All.Count);
        rig.Clock.Advance(TimeSpan.FromSeconds(25));
        var tests = await testing.WaitAsync(Patience.Enough);
        tests.ShouldAllBe(test => test.Verdict == Verdict.Wait && test.Status == null && test.Message != null);
    }

    [Fact]
    public async Task WithoutAKeyNobodyIsAsked()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null });
        (await rig.Pipeline.TestAsync()).ShouldAllBe(test => test.ParkReason == ParkReason.KeyMissing);
        rig.FarEnd.Requests.ShouldBeEmpty();
    }
}
