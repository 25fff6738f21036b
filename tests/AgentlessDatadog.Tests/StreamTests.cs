using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>What a caller's stream says counts once without an id, however often and in whatever pieces it is handed in.</summary>
public sealed class StreamTests : IAsyncDisposable
{
    private const string Log = "log-1";

    private readonly FailingStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task AStretchThatIsDurableIsRefusedInThisProcessAndTheNext()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.Pipeline.Position(Log).ShouldBe(0);
        await KeepAsync(rig, 0, 5);
        for (var process = 0; process < 2; process++)
        {
            rig.Pipeline.Position(Log).ShouldBe(5);
            await Should.ThrowAsync<PositionMovedException>(() => KeepAsync(rig, 0, 5));
            await Should.ThrowAsync<PositionMovedException>(() => KeepAsync(rig, 0, 8));
            await rig.RestartAsync();
        }
        await KeepAsync(rig, 5, 8);
        (await SumAsync(rig)).ShouldBe(8);
        rig.Ledger(Lane.Events).ShouldBe(2, delivered: 2);
    }

    [Fact]
    public async Task AStretchThatSaysNothingMovesTheStreamAllTheSame()
    {
        await using var rig = await Rig.StartAsync(o => o with { Metrics = false }, _store);
        await rig.Pipeline.KeepAsync([], new StreamRange(Log, 0, 3), default);
        await rig.Pipeline.KeepAsync([Some.Count()], new StreamRange(Log, 3, 4), default);
        await rig.RestartAsync(o => o with { Metrics = true });
        rig.Pipeline.Position(Log).ShouldBe(4);
        rig.Ledger(Lane.Metrics).ShouldBe(0);
    }

    [Fact]
    public async Task AnotherStreamBeginsAtNone()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        await KeepAsync(rig, 0, 5);
        rig.Pipeline.Position("log-2").ShouldBe(0);
        await rig.Pipeline.KeepAsync([Some.Count(value: 2)], new StreamRange("log-2", 0, 2), default);
        rig.Pipeline.Position(Log).ShouldBe(5);
        (await SumAsync(rig)).ShouldBe(7);
    }

    [Fact]
    public async Task OfStretchesThatBeginAtOnePlaceOneCountsHoweverTheyRace()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        var racing = Enumerable.Range(0, 8).Select(_ => Task.Run(() => KeepAsync(rig, 0, 5))).ToList();
        await Task.WhenAll(racing).ContinueWith(_ => { }, TaskScheduler.Default);
        racing.Count(one => one.IsCompletedSuccessfully).ShouldBe(1);
        (await SumAsync(rig)).ShouldBe(5);
    }

    [Fact]
    public async Task WhatAStoreThatHangsMayHaveKeptIsNotKeptOnceMore()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var unsure = KeepAsync(rig, 0, 5);
        await rig.Until(() => unsure.IsCompleted, TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<StoreUnavailableException>(unsure)).MayBeDurable.ShouldBeTrue();
        rig.Pipeline.Position(Log).ShouldBe(0, "nobody knows that it is durable");
        await Should.ThrowAsync<StoreUnavailableException>(() => KeepAsync(rig, 0, 6));

        gate.Open();
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<PositionMovedException>(() => KeepAsync(rig, 0, 6));
        rig.Pipeline.Position(Log).ShouldBe(5);
        await KeepAsync(rig, 5, 6);
        (await SumAsync(rig)).ShouldBe(6);
    }

    [Fact]
    public async Task WhatAStoreRefusesMovesNothing()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.IsFull = true;
        await Should.ThrowAsync<StoreUnavailableException>(() => KeepAsync(rig, 0, 5));
        rig.Pipeline.Position(Log).ShouldBe(0);
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await KeepAsync(rig, 0, 5);
        (await SumAsync(rig)).ShouldBe(5);
    }

    [Fact]
    public async Task AStretchThatLeadsNowhereIsNone()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        await Should.ThrowAsync<ArgumentException>(() => KeepAsync(rig, 5, 5));
        await Should.ThrowAsync<ArgumentException>(async () =>
            await rig.Pipeline.KeepAsync([], new StreamRange("", 0, 1), default)
        );
    }

    // One for each place of the stream, and one event.
    private static Task KeepAsync(Rig rig, long from, long to) =>
        rig
            .Pipeline.KeepAsync(
                [Some.Count(value: to - from), new DatadogEvent("Told", "", rig.Clock.GetUtcNow())],
                new StreamRange(Log, from, to),
                default
            )
            .AsTask();

    private static async Task<double> SumAsync(Rig rig)
    {
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        return rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value);
    }
}
