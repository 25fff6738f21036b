using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Pipeline;

/// <summary>A flush takes no second before its time.</summary>
public sealed class FlushClockTests
{
    [Fact]
    public async Task AnEarlyCutNeverRunsAheadOfTheClockHoweverOftenItIsAskedFor()
    {
        var flushes = new List<long>();
        await using var rig = await Rig.StartAsync(
            o => o with { FlushInterval = TimeSpan.FromMinutes(1) },
            new FailingStore { OnFlush = flush => flushes.Add(flush.Second) }
        );
        for (var i = 0; i < 20; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.Pipeline.FlushEarlyAsync(default);
            if (i % 2 == 1)
            {
                rig.Clock.Advance(TimeSpan.FromSeconds(1));
            }
        }
        flushes.Count.ShouldBe(10);
        flushes[^1].ShouldBe(rig.Clock.GetUtcNow().ToUnixTimeSeconds() - 1);
    }

    [Fact]
    public async Task ASkewThatGrowsFromAWarningToAnAlarmIsLoggedOnceAsEach()
    {
        await using var rig = await Rig.StartAsync();
        foreach (var minutes in new[] { 2, 9, 20, 30 })
        {
            rig.FarEnd.ClockAhead = TimeSpan.FromMinutes(minutes);
            await rig.KeepAsync(Some.Count());
            await rig.FlushNowAsync();
            await rig.UntilSent();
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
        }
        var said = rig.Log.Lines.Where(line => line.Contains("Datadog's")).ToList();
        said.Select(line => line.Split(':')[0]).ShouldBe(["Warning", "Error"]);
        said[1].ShouldContain("20 min behind");
    }
}
