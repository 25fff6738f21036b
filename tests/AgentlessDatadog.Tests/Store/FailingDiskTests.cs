using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>A disk that fails or does not answer costs nobody what could be sent, and nobody is told otherwise.</summary>
public sealed class FailingDiskTests : IAsyncDisposable
{
    private readonly FailingStore _store = new();
    private readonly SearchedLog _log = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task WhoAsksForKeepingIsRefusedAndCountsNowhere()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.IsFull = true;
        for (var i = 0; i < 2; i++)
        {
            var error = await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count()).AsTask());
            error.Message.ShouldBe("The disk is full.");
            error.MayBeDurable.ShouldBeFalse();
        }
        rig.Ledger(Lane.Metrics).ShouldBe(0);
        rig.Pipeline.StoreError.ShouldBe("The disk is full.");
    }

    [Fact]
    public async Task GaugesAreSentWhileTheDiskFailsAndWhatCountsOnceItWorksAndTheStatusSaysSo()
    {
        await using var rig = await Rig.StartAsync(store: _store, log: _log);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        using var counter = rig.Pipeline.Counter("app.seen", []);
        await rig.KeepAsync(Some.Count(value: 3));
        _store.IsFull = true;
        gauge.Set(7);
        counter.Add(2);
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(rig.Event("told")).AsTask());
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Series.Select(s => (s.Metric, s.Points[0].Value)).ShouldBe([("app.level", 7)]);
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().Sentence.ShouldContain("memory alone");
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 1, queued: 1);
        (await _store.ContentsAsync()).Ledger.ShouldHaveSingleItem().Units.ShouldBe(1);

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
        await rig.KeepAsync(rig.Event("told"));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => (s.Metric, s.Points[0].Value))
            .ShouldBe([("app.level", 7), ("app.seen", 2), ("app.made", 3)]);
        rig.FarEnd.Requests.Count(r => r.Path == "/api/v1/events").ShouldBe(1);
        await _store.ShouldAgreeAsync(rig);
        _log.Text.Split('\n')
            .Count(line => line.Contains("memory alone"))
            .ShouldBe(2, "once when it began, once at its end");
    }

    [Fact]
    public async Task WhatMemoryHeldIsInTheStoreOnceItWorksAndIsSentOnceAfterARestart()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        _store.IsFull = true;
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count()).AsTask());
        for (var i = 1; i <= 3; i++)
        {
            gauge.Set(i);
            await rig.FlushAsync();
        }
        (await _store.ContentsAsync()).Outbox.ShouldBeEmpty();
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        (await _store.ContentsAsync()).Outbox.Count.ShouldBe(3);

        await rig.RestartAsync();
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Select(s => s.Points[0].Value).ShouldBe([1, 2, 3], ignoreOrder: true);
        rig.Ledger(Lane.Metrics).ShouldBe(3, delivered: 3);
        await _store.ShouldAgreeAsync(rig);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatIsLostWhileTheDiskFailsIsToldOnceWhoeverHeldAndTellsIt(bool byMemory)
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        using var level = rig.Pipeline.Gauge("app.level", []);
        _store.IsFull = byMemory;
        if (byMemory)
        {
            await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count()).AsTask());
        }

        level.Set(1);
        await rig.FlushAsync();
        _store.IsFull = true;
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await rig.Until(() => rig.Ledger(Lane.Metrics).Expired == 1, TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        (await _store.ContentsAsync()).Expired.ShouldHaveSingleItem().Units.ShouldBe(1);

        await rig.RestartAsync();
        _store.IsFull = true;
        using var another = rig.Pipeline.Gauge("app.level", []);
        await Should.ThrowAsync<StoreUnavailableException>(() => rig.KeepAsync(Some.Count()).AsTask());
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        for (var i = 0; i < 6; i++)
        {
            another.Set(i);
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        rig.FarEnd.Requests.ShouldNotContain(r => r.Path == "/api/v1/events");
        (await _store.ContentsAsync()).Expired.ShouldHaveSingleItem();
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        var told = rig.FarEnd.Requests.Where(r => r.Path == "/api/v1/events").ShouldHaveSingleItem();
        Encoding.UTF8.GetString(told.Body).ShouldContain("1 metric points were lost");
        (await _store.ContentsAsync()).Expired.ShouldBeEmpty();
        await _store.ShouldAgreeAsync(rig);
    }
}
