using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <content>The process ends while the disk fails, and what happened is told again afterwards.</content>
public sealed partial class FailingDiskTests
{
    private static readonly Measurement Fact = Some.Count(value: 5) with { Id = "fact" };

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task AnEndWhileTheDiskFailsMakesNothingCountTwice(bool isOnDisk, bool isOrderly)
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var level = rig.Pipeline.Gauge("app.level", []);
        DatadogEvent what = Event(rig, "told") with { Id = "fact" };
        if (isOnDisk)
            await rig.Pipeline.KeepAsync([Fact], [], default);
        _store.IsFull = true;
        await rig.Pipeline.KeepOrHoldAsync([Fact], [what], default);
        for (var i = 0; i < 3; i++)
        {
            level.Set(i);
            await rig.FlushAsync();
            await rig.UntilSent();
        }
        rig.FarEnd.Series.Count(s => s.Metric == "app.level").ShouldBe(3);

        if (isOrderly)
            await rig.StopAsync(default);
        await rig.RestartAsync();
        _store.IsFull = false;
        await rig.Pipeline.KeepOrHoldAsync([Fact], [what], default);
        await ArrivesOnceAsync(rig);
        rig.FarEnd.Requests.Count(r => r.Path == "/api/v1/events").ShouldBe(1);
    }

    [Fact]
    public async Task AKillWhileMemoryHandsOverLosesNothing()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        _store.IsFull = true;
        await rig.Pipeline.KeepOrHoldAsync([Fact], [], default);
        // The last cut before other options takes everything.
        await rig.ConfigureAsync(rig.Options with { Tags = ["env:other"] });
        // The disk takes what is small, and not the cut.
        var cuts = 0;
        _store.OnCut = _ => Interlocked.Increment(ref cuts);
        _store.AppendFails = false;
        await rig.Until(() => Volatile.Read(ref cuts) > 0, TimeSpan.FromSeconds(1));
        rig.Pipeline.CannotKeep.ShouldNotBeNull();
        (await _store.ContentsAsync()).Seen.ShouldHaveSingleItem();
        (await _store.ContentsAsync()).Outbox.ShouldBeEmpty();

        await rig.RestartAsync();
        _store.IsFull = false;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.Pipeline.KeepOrHoldAsync([Fact], [], default);
        await ArrivesOnceAsync(rig);
    }

    [Fact]
    public async Task WhatCountedBeforeOtherOptionsGoesOutUnderTheOldOnesAlsoWhenTheDiskFailedMeanwhile()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["env:old"] }, _store);
        _store.IsFull = true;
        await rig.Pipeline.KeepOrHoldAsync([Fact], [], default);
        await rig.FlushAsync();
        await rig.ConfigureAsync(rig.Options with { Tags = ["env:new"] });
        await rig.Pipeline.KeepOrHoldAsync([Some.Count()], [], default);
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldBeEmpty();

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Select(s => (s.Points[0].Value, s.Tags[0]))
            .ShouldBe([(5, "env:old"), (1, "env:new")], ignoreOrder: true);
        await StoreIsEvenAsync(rig);
    }

    [Fact]
    public async Task WhatCannotBeBookedAsSentIsNotSentWhereARepeatWouldCountTwice()
    {
        await using var rig = await Rig.StartAsync(o => o with { FlushInterval = TimeSpan.FromDays(1) }, _store);
        using var level = rig.Pipeline.Gauge("app.level", []);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync([Some.Distribution()], [Event(rig, "told")]);
        await rig.FlushAsync();
        await rig.Until(() => rig.Pipeline.Status.Lanes.Count(lane => lane.State == LaneState.BackingOff) == 2);
        _store.IsFull = true;
        await rig.Pipeline.KeepOrHoldAsync([Some.Distribution()], [], default);
        var before = rig.FarEnd.Requests.Count;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        rig.Clock.Advance(TimeSpan.FromMinutes(2));
        await rig.Until(() => rig.Pipeline.Status.Lanes.All(lane => lane.State == LaneState.Open));
        // All lanes are looked through for each, and only what may come twice goes.
        for (var i = 0; i < 20; i++)
        {
            level.Set(i);
            await rig.FlushAsync();
            await rig.Until(() => rig.FarEnd.Series.Count() == i + 1);
        }
        rig.FarEnd.Requests.Skip(before).ShouldAllBe(r => r.Path == "/api/v2/series");

        _store.IsFull = false;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Requests.Count.ShouldBe(before + 20 + 2);
    }

    [Fact]
    public async Task WhatWaitedForTheStoreIsSentAsSoonAsItWorks()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync(Event(rig, "first"), Event(rig, "second"));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff && rig.FarEnd.Requests.Count == 2);
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        _store.IsFull = true;
        // The first is sent, which cannot be kept.
        await rig.Until(() => rig.Pipeline.CannotKeep is not null, TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Requests.Count.ShouldBe(4);
        await StoreIsEvenAsync(rig);
    }

    [Fact]
    public async Task WhatWasRefusedIsInNoSummary()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.IsFull = true;
        for (var i = 0; i < 100; i++)
            await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Kind(i)).AsTask());
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Kind(100));
        await rig.UntilSent();
        rig.FarEnd.Requests.Count.ShouldBe(1, "the first of its kind is sent itself");
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);

        DatadogEvent Kind(int i) => Event(rig, $"told {i}") with { Kind = "kind" };
    }

    private static async Task ArrivesOnceAsync(Rig rig)
    {
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(5);
    }
}
