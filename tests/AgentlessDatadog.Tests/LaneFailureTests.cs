using System.Text;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>What a lane waits for is shown for as long as it does, and logged when it begins, goes on and ends.</summary>
public sealed class LaneFailureTests
{
    private const string Poison = "the one that fails";
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(1);
    private readonly SearchedLog _log = new();

    [Theory]
    [InlineData(503, "Warning: The events wait, and are sent again by themselves: 503", 3)]
    [InlineData(403, "Error: The events are kept and wait: the key is not known", 3)]
    public async Task WhatGoesOnIsOneLineThenOneAQuarterOfAnHourAndOneWhenItEnds(int status, string said, int reminders)
    {
        await using var rig = await Rig.StartAsync(log: _log);
        rig.FarEnd.Answer = _ => new FarEndAnswer(status, """{"errors":["refused"]}""");
        var until = rig.Clock.GetUtcNow().AddMinutes(50);
        await rig.Pipeline.KeepAsync([rig.Event("a")], default);
        await rig.Until(() => rig.Clock.GetUtcNow() >= until, Step);
        var failure = Events(rig).Failure.ShouldNotBeNull();
        failure.Since.ShouldBe(until.AddMinutes(-50));
        Lines("").ShouldBe(1);
        Lines("Still so: ").ShouldBe(reminders);
        Lines("No longer so: ").ShouldBe(0);

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.Until(() => Events(rig).Ledger.Delivered == 1, Step);
        Events(rig).Failure.ShouldBeNull();
        await rig.Until(() => Lines("No longer so: ") == 1);
        Lines("").ShouldBe(1);

        int Lines(string beginning)
        {
            var (level, sentence) = (said.Split(": ", 2)[0], said.Split(": ", 2)[1]);
            return _log.Lines.Count(line =>
                line.StartsWith(
                    $"{(beginning.StartsWith('N') ? "Information" : level)}: {beginning}{sentence}",
                    StringComparison.Ordinal
                )
            );
        }
    }

    [Fact]
    public async Task ARequestThatFailsFiveTimesWhileOthersGetThroughIsNamedUntilItDoes()
    {
        await using var rig = await Rig.StartAsync(log: _log);
        rig.FarEnd.Answer = request =>
            Encoding.UTF8.GetString(request.Raw).Contains(Poison, StringComparison.Ordinal)
                ? new FarEndAnswer(500, """{"errors":["it hurts"]}""")
                : FarEndAnswer.Accepted;
        await rig.Pipeline.KeepAsync([rig.Event(Poison)], default);
        await rig.Until(() => Failures(rig) == 1);
        for (var i = 1; i < 5; i++)
        {
            Events(rig).Failure?.Alone.ShouldBeNull();
            var sent = Events(rig).Ledger.Delivered;
            await rig.Pipeline.KeepAsync([rig.Event("another")], default);
            await rig.Until(() => Events(rig).Ledger.Delivered > sent, Step);
            var failed = Failures(rig);
            await rig.Until(() => Failures(rig) > failed && Events(rig).State == LaneState.BackingOff, Step);
        }
        var alone = Events(rig).Failure!.Alone.ShouldNotBeNull();
        alone.ShouldContain("1 events of 2026-11-24 08:00:00 UTC has failed");
        alone.ShouldContain("it hurts");
        alone.ShouldContain("until 2026-11-25 02:00:00 UTC");
        _log.Lines.Count(line => line.StartsWith("Warning: Request ", StringComparison.Ordinal)).ShouldBe(1);

        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.Until(() => Events(rig).Ledger.Queued == 0, Step);
        Events(rig).Failure.ShouldBeNull();
        await rig.Until(() => _log.Text.Contains("No longer so: Request ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task InAnOutageNoRequestIsTakenToFailAlone()
    {
        await using var rig = await Rig.StartAsync(log: _log);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.Pipeline.KeepAsync([rig.Event("a")], default);
        await rig.Until(() => Failures(rig) >= 10, Step);
        Events(rig).Failure.ShouldNotBeNull().Alone.ShouldBeNull();
    }

    [Fact]
    public async Task WhatWaitsForAnotherDestinationIsShownWithTheTimeWhenItIsGivenUp()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "sandbox", ApiKey = null }, log: _log);
        await rig.Pipeline.KeepAsync([rig.Event("a"), rig.Event("b")], default);
        rig.Pipeline.Status.Elsewhere.ShouldBeEmpty();
        var options = new TelemetryOptions { IntakeUrl = rig.FarEnd.Url, ApiKey = Secret.ApiKey };
        await rig.ConfigureAsync(options);
        var elsewhere = rig.Pipeline.Status.Elsewhere.ShouldHaveSingleItem();
        elsewhere.Destination.ShouldBe("sandbox");
        elsewhere.Requests.ShouldBeGreaterThanOrEqualTo(2);
        elsewhere.LastExpires.ShouldBe(new DateTimeOffset(2026, 11, 25, 2, 0, 0, TimeSpan.Zero));
        // What failed there says nothing about here.
        Events(rig).Failure.ShouldBeNull();

        await rig.ConfigureAsync(options with { Destination = "sandbox" });
        await rig.UntilSent(Step);
        rig.Pipeline.Status.Elsewhere.ShouldAllBe(queue => queue.Destination != "sandbox");
    }

    private static LaneStatus Events(Rig rig) => rig.Pipeline.Status.Lanes.Single(lane => lane.Lane == "events");

    private static int Failures(Rig rig) =>
        rig.FarEnd.Requests.Count(r =>
            r.Path == "/api/v1/events" && Encoding.UTF8.GetString(r.Raw) is var text && !text.Contains("another")
        );
}
