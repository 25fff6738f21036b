using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>A cut is later than any before it, whatever the time of day does.</summary>
public sealed class CutClockTests
{
    private readonly SettableClock _clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly List<long> _cuts = [];

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
        await using var rig = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await rig.KeepAsync(Some.Count(), Some.Gauge(value: i));
            _clock.Set(TimeSpan.FromSeconds(i % 5 == 0 ? -7 : 1));
            await rig.CutAsync();
        }
        await rig.UntilSent();
        _cuts.Count.ShouldBe(20);
        _cuts.Zip(_cuts.Skip(1)).ShouldAllBe(pair => pair.First < pair.Second);
        var sent = rig.FarEnd.Series.Where(s => s.Metric == "app.made").Select(s => s.Points[0].Second);
        sent.ShouldBe(_cuts, ignoreOrder: true);
        rig.FarEnd.Check.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task AfterAClockWasFarAheadAndIsRightAgainPointsAreSentAtTheTimeOfDay()
    {
        await using var rig = await StartAsync();
        rig.FarEnd.ClockAhead = TimeSpan.FromHours(-2);
        await CutAsync(rig);
        _clock.Set(TimeSpan.FromHours(-2));
        rig.FarEnd.ClockAhead = TimeSpan.Zero;
        // Nobody has said yet that it is right.
        await CutAsync(rig);
        _cuts[1].ShouldBe(_cuts[0] + 1);

        for (var i = 2; i < 5; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await CutAsync(rig);
            _cuts[i].ShouldBe(_clock.GetUtcNow().ToUnixTimeSeconds());
        }
    }

    [Theory]
    [InlineData(-30, 30)]
    [InlineData(-9, 0)]
    public async Task AClockThatIsSetBackIsNotFollowedWronglyNorWhereDatadogHasTakenWhatLiesAhead(int set, int behind)
    {
        await using var rig = await StartAsync();
        await CutAsync(rig);
        _clock.Set(TimeSpan.FromMinutes(set));
        rig.FarEnd.ClockAhead = TimeSpan.FromMinutes(behind);
        for (var i = 1; i < 4; i++)
        {
            await CutAsync(rig);
            _cuts[i].ShouldBe(_cuts[0] + i);
        }
    }

    private Task<Rig> StartAsync() =>
        Rig.StartAsync(store: new FailingStore { OnCut = cut => _cuts.Add(cut.Second) }, clock: _clock);

    private static async Task CutAsync(Rig rig)
    {
        await rig.KeepAsync(Some.Count());
        await rig.CutAsync();
        await rig.UntilSent();
    }

    [Fact]
    public async Task PointsThatRunAheadOfAClockThatWasSetBackAreTold()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepAsync(Some.Count());
        await rig.CutAsync();
        rig.Clock.AdjustTime(rig.Clock.GetUtcNow().AddMinutes(-30));
        rig.FarEnd.ClockAhead = TimeSpan.FromMinutes(30);
        await CutAsync(rig);
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        rig.Pipeline.Status.Warnings.ShouldContain(w => w.Contains("30 min in the future"));
        rig.Clock.AdjustTime(rig.Clock.GetUtcNow().AddMinutes(30));
        rig.FarEnd.ClockAhead = TimeSpan.Zero;
        await CutAsync(rig);
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task ASkewThatGrowsFromAWarningToAnAlarmIsLoggedOnceAsEach()
    {
        await using var rig = await Rig.StartAsync();
        foreach (var minutes in new[] { 2, 9, 20, 30, 9, 20 })
        {
            rig.FarEnd.ClockAhead = TimeSpan.FromMinutes(minutes);
            await CutAsync(rig);
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
        }
        var said = rig.Log.Lines.Where(line => line.Contains("Datadog's")).ToList();
        said.Select(line => line.Split(':')[0]).ShouldBe(["Warning", "Error"]);
        said[1].ShouldContain("20 min behind");
    }
}
