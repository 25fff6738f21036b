using System.Text;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>A disk that fails or does not answer costs nobody what could be sent, and nobody is told otherwise.</summary>
public sealed partial class FailingDiskTests : IAsyncDisposable
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
            error.MayBeKept.ShouldBeFalse();
        }
        rig.Ledger(Lane.Metrics).ShouldBe(0);
        rig.Pipeline.CannotKeep.ShouldBe("The disk is full.");
    }

    [Fact]
    public async Task LevelsAreSentWhileTheDiskFailsAndWhatCountsOnceItHasThemAndTheStatusSaysSo()
    {
        await using var rig = await Rig.StartAsync(store: _store, log: _log);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        _store.IsFull = true;
        gauge.Set(7);
        await HoldAsync(rig, Some.Count(value: 3), Event(rig, "told"));
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Series.Select(s => (s.Metric, s.Points[0].Value)).ShouldBe([("app.level", 7)]);
        rig.FarEnd.Requests.Count(r => r.Path == "/api/v1/events").ShouldBe(0);
        rig.Pipeline.Status.Warnings.ShouldHaveSingleItem().ShouldContain("memory alone");
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 1, queued: 1);
        (await _store.ContentsAsync()).Ledger.ShouldBeEmpty();

        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        rig.Pipeline.Status.Warnings.ShouldBeEmpty();
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => (s.Metric, s.Points[0].Value)).ShouldBe([("app.level", 7), ("app.made", 3)]);
        rig.FarEnd.Requests.Count(r => r.Path == "/api/v1/events").ShouldBe(1);
        await StoreIsEvenAsync(rig);
        await rig.KeepAsync(Some.Count());
        _log.Text.Split('\n')
            .Count(line => line.Contains("memory alone"))
            .ShouldBe(2, "once when it began, once at its end");
    }

    [Fact]
    public async Task AMixedBatchIsHeldButForWhatMayNotBe()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var first = rig.KeepAsync(Some.Count("app.first")).AsTask();
        await rig.Until(() => _store.Appends == 1);
        // While the first is under way, for the last time on a whole disk, these two come together.
        var refused = rig.KeepAsync(Some.Count("app.refused")).AsTask();
        var held = HoldAsync(rig, Some.Count("app.held")).AsTask();
        _store.IsFull = true;
        gate.Open();
        await first;
        await Should.ThrowAsync<StoreUnavailableException>(refused);
        await held;
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => s.Metric).ShouldBe(["app.first", "app.held"]);
    }

    [Fact]
    public async Task WhatMemoryHeldIsInTheStoreOnceItWorksAndCountsOnceAfterARestart()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        _store.IsFull = true;
        for (var i = 1; i <= 3; i++)
        {
            await HoldAsync(rig, Some.Count(value: i) with { Id = $"life-{i}" });
            await rig.FlushAsync();
        }
        await HoldAsync(rig, Some.Count(value: 4) with { Id = "life-4" });
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;

        await rig.RestartAsync();
        // One whose cut memory had folded, and one that it had not.
        await rig.KeepAsync(Some.Count(value: 1) with { Id = "life-1" }, Some.Count(value: 4) with { Id = "life-4" });
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(10);
        await StoreIsEvenAsync(rig);
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
        level.Set(1);
        await rig.FlushAsync();
        _store.IsFull = true;
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await rig.Until(() => rig.Ledger(Lane.Metrics).Expired == 1, TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        (await _store.ContentsAsync()).Losses.ShouldHaveSingleItem().Units.ShouldBe(1);

        await rig.RestartAsync();
        _store.IsFull = true;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        for (var i = 0; i < 6; i++)
        {
            await HoldAsync(rig, Some.Count());
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        rig.FarEnd.Requests.ShouldNotContain(r => r.Path == "/api/v1/events");
        (await _store.ContentsAsync()).Losses.ShouldHaveSingleItem();
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            await rig.KeepAsync(Some.Count());
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        var told = rig.FarEnd.Requests.Where(r => r.Path == "/api/v1/events").ShouldHaveSingleItem();
        Encoding.UTF8.GetString(told.Body).ShouldContain("1 metric points were lost");
        (await _store.ContentsAsync()).Losses.ShouldBeEmpty();
        await StoreIsEvenAsync(rig);
    }

    [Fact]
    public async Task AnIdOfAnOpenSubjectIsRenewedAlsoWhileTheDiskFails()
    {
        var made = Some.Count() with { Id = "made", Subject = "session-1" };
        await using var rig = await Rig.StartAsync(store: _store);
        await rig.KeepAsync(made);
        rig.Pipeline.Subjects.Open("session-1");
        rig.Pipeline.Subjects.AllKnown();
        _store.IsFull = true;
        rig.Clock.Advance(TimeSpan.FromHours(49));
        for (var i = 0; i < 3; i++)
        {
            await HoldAsync(rig, Some.Gauge());
            await rig.FlushAsync();
        }
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.CannotKeep is null, TimeSpan.FromSeconds(1));

        await rig.RestartAsync();
        await rig.KeepAsync(made);
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Count(s => s.Metric == "app.made").ShouldBe(1);
    }

    // What the store would bring back is what the pipeline says.
    private async Task StoreIsEvenAsync(Rig rig)
    {
        var contents = await _store.ContentsAsync();
        var kept = new Ledger();
        kept.Book(contents.Ledger);
        foreach (var lane in Lane.All)
        {
            var said = rig.Ledger(lane);
            said.ShouldBalance();
            (kept.Of(lane) with { Reasons = said.Reasons }).ShouldBe(said);
            contents.Outbox.Where(h => h.Lane == lane).Sum(h => h.Units).ShouldBe(said.Queued);
        }
    }

    private static ValueTask HoldAsync(Rig rig, Measurement measurement, params DatadogEvent[] events) =>
        rig.Pipeline.KeepOrHoldAsync([measurement], events, default);

    private static DatadogEvent Event(Rig rig, string title) => new(title, "", rig.Clock.GetUtcNow());
}
