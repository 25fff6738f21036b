using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>What the ledger says, the metrics about the pipeline say as well, over restarts.</summary>
public sealed class LedgerMetricTests
{
    [Fact]
    public async Task ALaneThatIsSwitchedOffIsToldOfAsLongAsItHoldsSomething()
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                Logs = false,
                SelfMetrics = new SelfMetrics("app.datadog.", []),
            }
        );
        rig.FarEnd.Answer = r => new FarEndAnswer(r.Path == Lane.Traces.Path ? 503 : 202);
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.ConfigureAsync(rig.Options with { Traces = false });
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        Told().ShouldBe(["metrics", "distributions", "events", "traces"]);
        rig.Ledger(Lane.Traces).ShouldBe(1, queued: 1);

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        Told().ShouldBe(["metrics", "distributions", "events"]);
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        Sent("delivered").Where(s => s.Tags.Contains("lane:traces")).Sum(s => s.Points.Sum(p => p.Value)).ShouldBe(1);
        Sent("accepted").ShouldNotContain(s => s.Tags.Contains("lane:logs"));

        IEnumerable<string> Told() => rig.Pipeline.Status.Lanes.Select(lane => lane.Lane);

        IEnumerable<ReadSeries> Sent(string name) => rig.FarEnd.Series.Where(s => s.Metric == $"app.datadog.{name}");
    }

    [Fact]
    public async Task EveryAccountOfEveryLaneIsAMetricThatCountsEachUnitOnceAlsoAfterARestart()
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                OnUncertain = OnUncertain.Skip,
                SelfMetrics = new SelfMetrics("app.datadog.", []),
            }
        );
        // Of the events the first is cut off, of the distributions none gets through.
        var isCut = true;
        rig.FarEnd.Answer = r =>
        {
            if (r.Path == "/api/v1/distribution_points")
            {
                return new FarEndAnswer(503);
            }

            if (r.Path != "/api/v1/events" || !isCut)
            {
                return FarEndAnswer.Accepted;
            }

            isCut = false;
            return new FarEndAnswer(null);
        };
        await rig.KeepAsync(new DatadogEvent("Cut", "", rig.Clock.GetUtcNow()));
        await rig.Until(() => rig.Ledger(Lane.Events).Uncertain == 1);
        await rig.KeepAsync(
            [Some.Count(), Some.Count("1bad"), Some.Distribution()],
            [
                .. Enumerable
                    .Range(0, 65)
                    .Select(_ => new DatadogEvent("Made", "", rig.Clock.GetUtcNow()) { Kind = "made" }),
            ]
        );
        await rig.FlushAsync();
        await rig.Until(() => rig.Ledger(Lane.Events).Delivered == 60, TimeSpan.FromSeconds(1));
        // And the summary of the other five.
        await rig.Until(() => rig.Lane(Lane.Distributions).NextTry > rig.Clock.GetUtcNow());
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await rig.FlushNowAsync();
        await rig.Until(() => rig.Ledger(Lane.Events).Delivered == 61, TimeSpan.FromSeconds(1));
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await rig.StopAsync(now.Token);
        await rig.RestartAsync();
        await rig.FlushAsync();
        await rig.Until(() => Sent("queued", Lane.Distributions).LastOrDefault() == 1);
        while (rig.Ledger(Lane.Distributions).Queued > 0)
        {
            await rig.Until(() => rig.IsQuiet);
            rig.Clock.Advance(TimeSpan.FromMinutes(5));
            await rig.FlushNowAsync();
        }
        for (var i = 0; i < 2; i++)
        {
            await rig.Until(() => rig.Pipeline.Status.Queue.Requests == 0, TimeSpan.FromSeconds(1));
            await rig.FlushAsync();
        }
        await rig.UntilSent(TimeSpan.FromSeconds(1));

        foreach (var lane in Lane.All)
        {
            var ledger = rig.Ledger(lane);
            ledger.ShouldBalance();
            Sent("accepted", lane).Sum().ShouldBe(ledger.Accepted);
            Sent("delivered", lane).Sum().ShouldBe(ledger.Delivered);
            Sent("overflowed", lane).Sum().ShouldBe(ledger.Overflowed);
            Sent("expired", lane).Sum().ShouldBe(ledger.Expired);
            Sent("rejected", lane).Sum().ShouldBe(ledger.Rejected);
            Sent("uncertain", lane).Sum().ShouldBe(ledger.Uncertain);
            Sent("queued", lane).Last().ShouldBe(ledger.Queued);
        }
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 1, rejected: 1);
        rig.Ledger(Lane.Distributions).ShouldBe(1, expired: 1);
        (rig.Ledger(Lane.Events).Overflowed, rig.Ledger(Lane.Events).Uncertain).ShouldBe((5, 1));

        IEnumerable<double> Sent(string name, Lane lane) =>
            rig
                .FarEnd.Series.Where(s =>
                    s.Metric == $"app.datadog.{name}" && s.Tags.Contains($"lane:{lane.ToString().ToLowerInvariant()}")
                )
                .SelectMany(s => s.Points)
                .OrderBy(point => point.Second)
                .Select(point => point.Value);
    }
}
