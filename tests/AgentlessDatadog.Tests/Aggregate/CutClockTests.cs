using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>A cut is later than any before it, whatever the time of day does.</summary>
public sealed class CutClockTests
{
    [Fact]
    public async Task AnEarlyCutNeverRunsAheadOfTheClockHoweverOftenItIsAskedFor()
    {
        var cuts = new List<long>();
        await using var rig = await Rig.StartAsync(
            o => o with { FlushInterval = TimeSpan.FromMinutes(1) },
            new FailingStore { OnCut = cut => cuts.Add(cut.Second) }
        );
        for (var i = 0; i < 20; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.Pipeline.FlushEarlyAsync(default);
            if (i % 2 == 1)
                rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        cuts.Count.ShouldBe(10);
        cuts[^1].ShouldBe(rig.Clock.GetUtcNow().ToUnixTimeSeconds() - 1);
    }

    [Fact]
    public async Task AClockThatStepsBackNeverRepeatsASecond()
    {
        var cuts = new List<long>();
        await using var rig = await Rig.StartAsync(store: new FailingStore { OnCut = cut => cuts.Add(cut.Second) });
        for (var i = 0; i < 20; i++)
        {
            await rig.KeepAsync(Some.Count(), Some.Gauge(value: i));
            rig.Clock.AdjustTime(rig.Clock.GetUtcNow().AddSeconds(i % 5 == 0 ? -7 : 1));
            await rig.CutAsync();
        }
        await rig.UntilSent();
        cuts.Count.ShouldBe(20);
        cuts.Zip(cuts.Skip(1)).ShouldAllBe(pair => pair.First < pair.Second);
        var sent = rig.FarEnd.Series.Where(s => s.Metric == "app.made").Select(s => s.Points[0].Second);
        sent.ShouldBe(cuts, ignoreOrder: true);
        rig.FarEnd.Check.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task PointsThatRunAheadOfAClockThatWasSetBackAreTold()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepAsync(Some.Count());
        await rig.CutAsync();
        rig.Clock.AdjustTime(rig.Clock.GetUtcNow().AddMinutes(-30));
        await rig.KeepAsync(Some.Count());
        await rig.CutAsync();
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().ShouldContain("30 min in the future");
        rig.Clock.AdjustTime(rig.Clock.GetUtcNow().AddMinutes(30));
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
    }
}
