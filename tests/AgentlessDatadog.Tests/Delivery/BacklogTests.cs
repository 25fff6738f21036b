using System.Collections.Concurrent;
using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class BacklogTests
{
    [Fact]
    public async Task AfterAnOutageWhatIsNewGoesFirst()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync(Events(rig, "old", 20));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        await rig.KeepAsync(Events(rig, "new", 1));
        var before = rig.FarEnd.Requests.Count;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent(TimeSpan.FromSeconds(1));

        var titles = rig.FarEnd.Requests.Skip(before).Select(Title).ToList();
        titles.Count.ShouldBe(21);
        titles[0].ShouldBe("new 0");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ABacklogGoesByAgeAndLeavesAPlaceForWhatIsNewAlsoWhenItStalls(bool mendedBeforeItIsExplained)
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                ApiKey = mendedBeforeItIsExplained ? Secret.Wrong : null,
            }
        );
        rig.FarEnd.Answer = request =>
            request.Method == "GET" ? new(200) { Fault = FarEndFault.Stall } : new(403, """{"errors":["Forbidden"]}""");
        await rig.KeepAsync(Events(rig, "old", 20));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.Parked);
        var refused = rig.FarEnd.Requests.Count(request => Title(request).Length > 0);
        refused.ShouldBe(mendedBeforeItIsExplained ? 8 : 0);
        using var release = new Gate();
        var backlog = new ConcurrentQueue<string>();
        rig.FarEnd.Answer = request =>
        {
            if (Title(request).StartsWith("old", StringComparison.Ordinal))
            {
                backlog.Enqueue(Title(request));
                // The first is the probe, which opens the lane.
                if (backlog.Count > 1)
                {
                    return FarEndAnswer.Accepted with { After = release.Opened };
                }
            }
            return FarEndAnswer.Accepted;
        };
        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.Until(() => backlog.Count == 8);
        await rig.KeepAsync(Events(rig, "new", 1));
        await rig.Until(() => rig.FarEnd.Requests.Any(r => Title(r) == "new 0"));
        backlog.ShouldBe(Enumerable.Range(0, 8).Select(i => $"old {i}"), ignoreOrder: true);
        release.Open();
        await rig.UntilSent();
    }

    [Fact]
    public async Task ARequestThatAlwaysFailsHoldsUpNoBacklogAlsoWhenNothingNewComes()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync([.. Events(rig, "poison", 2), .. Events(rig, "old", 20)]);
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        rig.FarEnd.Answer = request => new FarEndAnswer(
            Title(request).StartsWith("poison", StringComparison.Ordinal) ? 500 : 202
        );
        var end = rig.Clock.GetUtcNow().AddMinutes(30);
        await rig.Until(
            () => rig.Ledger(Lane.Events).Delivered == 20 || rig.Clock.GetUtcNow() > end,
            TimeSpan.FromSeconds(10)
        );
        (rig.Ledger(Lane.Events).Delivered, rig.Ledger(Lane.Events).Queued).ShouldBe((20, 2));
    }

    [Fact]
    public async Task PointsGoFourRequestsAtATimeOneOfThemForWhatIsNew()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null });
        for (var i = 0; i < 8; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
        }
        await rig.Until(() => rig.IsQuiet);
        // Makes backlog of what came after the lane was parked.
        rig.Clock.Advance(TimeSpan.FromSeconds(30));
        await rig.Until(() => rig.IsQuiet);
        using var release = new Gate();
        var asked = 0;
        // The first is the probe, which opens the lane.
        rig.FarEnd.Answer = _ =>
            Interlocked.Increment(ref asked) == 1
                ? FarEndAnswer.Accepted
                : FarEndAnswer.Accepted with
                {
                    After = release.Opened,
                };
        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.Until(() => asked == 1 + 3);
        await rig.KeepAsync(Some.Count("app.new"));
        await rig.FlushAsync();
        await rig.Until(() => asked == 1 + 4);
        release.Open();
        await rig.UntilSent();
    }

    private static DatadogEvent[] Events(Rig rig, string what, int count) =>
        [.. Enumerable.Range(0, count).Select(i => new DatadogEvent($"{what} {i}", "", rig.Clock.GetUtcNow()))];

    private static string Title(FarEndRequest request) =>
        Encoding.UTF8.GetString(request.Body).Split('"') is [_, "title", _, var title, ..] ? title : "";
}
