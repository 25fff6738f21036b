using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>The process ends while the disk fails, and what happened is told again afterwards.</summary>
public sealed class FailingDiskKillTests : IAsyncDisposable
{
    private static readonly StreamRange Place = new("log", 0, 1);

    private static readonly Measurement Fact = Some.Count(value: 5);

    private readonly FailingStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task AnEndWhileTheDiskFailsMakesNothingCountTwice(bool isOnDisk, bool isOrderly)
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var level = rig.Pipeline.Gauge("app.level", []);
        if (isOnDisk)
        {
            await HandInAsync();
        }

        await rig.UntilSent();
        _store.IsFull = true;
        await Should.ThrowAsync<Exception>(HandInAsync);
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count("app.other")).AsTask());
        for (var i = 0; i < 3; i++)
        {
            level.Set(i);
            await rig.FlushAsync();
            await rig.UntilSent();
        }
        rig.FarEnd.Series.Count(s => s.Metric == "app.level").ShouldBe(3);

        if (isOrderly)
        {
            await rig.StopAsync(default);
        }

        await rig.RestartAsync();
        _store.IsFull = false;
        if (rig.Pipeline.Position(Place.Stream) == 0)
        {
            await HandInAsync();
        }

        await ArrivesOnceAsync(rig);
        rig.FarEnd.Requests.Count(r => r.Path == "/api/v1/events").ShouldBe(1);

        Task HandInAsync() => rig.Pipeline.KeepAsync([Fact, rig.Event("told")], Place, default).AsTask();
    }

    [Fact]
    public async Task AKillWhileMemoryHandsOverLosesNothingThatCounts()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var level = rig.Pipeline.Gauge("app.level", []);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.Pipeline.KeepAsync([Fact], Place, default);
        _store.IsFull = true;
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count("app.other")).AsTask());
        level.Set(1);
        await rig.FlushAsync();
        // The disk takes what is small, and not the request.
        var before = _store.Settlements;
        _store.AppendFails = false;
        await rig.Until(() => _store.Settlements > before, TimeSpan.FromSeconds(1));
        rig.Pipeline.StoreError.ShouldNotBeNull();
        (await _store.ContentsAsync()).Outbox.ShouldBeEmpty();

        await rig.RestartAsync();
        _store.IsFull = false;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        rig.Pipeline.Position(Place.Stream).ShouldBe(1);
        await ArrivesOnceAsync(rig);
    }

    [Fact]
    public async Task WhatCountedBeforeOtherOptionsGoesOutUnderTheOldOnesAlsoWhenTheDiskFailedMeanwhile()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["env:old"] }, _store);
        var next = rig.Options with { Tags = ["env:new"] };
        await rig.KeepAsync(Fact);
        _store.IsFull = true;
        for (var i = 0; i < 2; i++)
        {
            await Should.ThrowAsync<StoreUnavailableException>(async () => await rig.ConfigureAsync(next));
        }

        await rig.FlushAsync();
        // What alters nothing that was measured is taken at once.
        await rig.ConfigureAsync(rig.Options with { QueueMaxBytes = 1_000_000 });
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldBeEmpty();

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.ConfigureAsync(next);
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Select(s => (s.Points[0].Value, s.Tags[0]))
            .ShouldBe([(5, "env:old"), (1, "env:new")], ignoreOrder: true);
        await _store.ShouldAgreeAsync(rig);
    }

    [Fact]
    public async Task WhatCannotBeBookedAsSentIsNotSentWhereARepeatWouldCountTwice()
    {
        await using var rig = await Rig.StartAsync(o => o with { FlushInterval = TimeSpan.FromDays(1) }, _store);
        using var level = rig.Pipeline.Gauge("app.level", []);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync([Some.Distribution()], [rig.Event("told")]);
        await rig.FlushAsync();
        await rig.Until(() => rig.Pipeline.Status.Lanes.Count(lane => lane.State == LaneState.BackingOff) == 2);
        _store.IsFull = true;
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Distribution()).AsTask());
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
        await rig.KeepAsync(rig.Event("first"), rig.Event("second"));
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff && rig.FarEnd.Requests.Count == 2);
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        _store.IsFull = true;
        // The first is sent, which cannot be kept.
        await rig.Until(() => rig.Pipeline.StoreError is not null, TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Requests.Count.ShouldBe(4);
        await _store.ShouldAgreeAsync(rig);
    }

    [Fact]
    public async Task WhatWasRefusedIsInNoSummary()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.IsFull = true;
        for (var i = 0; i < 100; i++)
        {
            await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Kind(i)).AsTask());
        }

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Kind(100));
        await rig.UntilSent();
        rig.FarEnd.Requests.Count.ShouldBe(1, "the first of its kind is sent itself");
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(1, delivered: 1);

        DatadogEvent Kind(int i) => rig.Event($"told {i}") with { Kind = "kind" };
    }

    private static async Task ArrivesOnceAsync(Rig rig)
    {
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(5);
    }
}
