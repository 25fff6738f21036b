using AgentlessDatadog.Delivery;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>What memory bears while a disk fails or does not answer, and what comes of everything at once.</summary>
public sealed class FailingDiskBoundTests : IAsyncDisposable
{
    private readonly FailingStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task MemoryHasABoundBeyondWhichTheOldestIsGivenUp()
    {
        const int size = 1024 * 1024;
        var (clock, ledger) = (new DatadogClock(TimeProvider.System), new Ledger());
        var store = new GuardedStore(_store, clock, new Warnings(new SearchedLog(), clock));
        var outbox = new Outbox(store, ledger, clock);
        store.Fail("The disk is full.");
        for (var id = 1; id <= 70; id++)
        {
            var request = Sample.Request(id, size);
            outbox.AddInMemory(
                [request with { Header = request.Header with { Oldest = clock.GetUtcNow() } }],
                [Sample.Accepted(request.Header.Units)]
            );
        }
        await outbox.ExpireAsync(long.MaxValue);
        outbox.Status.Bytes.ShouldBe(Settlements.MaxBytes);
        ledger.Of(Lane.Metrics).Reasons.ShouldHaveSingleItem().ShouldBe(new("memory full", 18));
        var oldest = outbox.Take(Lane.Metrics, "datadog", liveAlone: false).ShouldNotBeNull();
        oldest.Id.ShouldBe(7);
        (await outbox.ReadAsync(oldest, default)).Length.ShouldBe(size);

        await _store.OpenAsync(default);
        (await outbox.Settlements.HandOverAsync()).ShouldBeTrue();
        store.Error.ShouldBeNull();
        (await _store.ContentsAsync()).Outbox.Count.ShouldBe(64);
        (await _store.ContentsAsync()).Ledger.ShouldBe([
            Sample.Accepted(210),
            new(Lane.Metrics, Account.Expired, 18, "memory full"),
        ]);
    }

    [Fact]
    public async Task AStoreThatDoesNotAnswerIsLetGoAndWhatItWasAtIsTakenInWhenItDoes()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        gauge.Set(1);
        var unsure = rig.KeepAsync(Some.Count(value: 5)).AsTask();
        await rig.Until(() => _store.Appends == 1);
        var asked = rig.Clock.GetUtcNow();
        await rig.Until(() => unsure.IsCompleted, TimeSpan.FromSeconds(1));
        (rig.Clock.GetUtcNow() - asked).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
        var error = await Should.ThrowAsync<StoreUnavailableException>(unsure);
        error.Message.ShouldContain("may have been kept or not");
        error.MayBeDurable.ShouldBeTrue();
        await rig.Until(() => rig.FarEnd.Series.Any(s => s.Metric == "app.level"), TimeSpan.FromSeconds(1));
        rig.Pipeline.StoreError.ShouldNotBeNull().ShouldContain("does not answer");
        // Nobody has asked the store for this one.
        error = await Should.ThrowAsync<StoreUnavailableException>(() =>
            rig.KeepAsync(Some.Count(value: 100)).AsTask()
        );
        error.MayBeDurable.ShouldBeFalse();

        gate.Open();
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Some.Count(value: 2));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(7);
        await _store.ShouldAgreeAsync(rig);
    }

    [Fact]
    public async Task WhatAStoreAnswersAfterAnHourCountsThoughItsSeriesHasGoneMeanwhile()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var unsure = rig.KeepAsync(Some.Count(value: 5)).AsTask();
        await rig.Until(() => unsure.IsCompleted, TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<StoreUnavailableException>(unsure);
        for (var minutes = 0; minutes < 70; minutes += 10)
        {
            gauge.Set(minutes);
            rig.Clock.Advance(TimeSpan.FromMinutes(10));
            await rig.FlushAsync();
        }
        rig.Pipeline.Status.Series.ShouldNotContainKey("app.made");

        gate.Open();
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(5);
        await _store.ShouldAgreeAsync(rig);
    }

    [Fact]
    public async Task WhatFailsAfterAllIsItsCallersToKeepAgain()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var unsure = rig.KeepAsync(Some.Count(value: 5)).AsTask();
        await rig.Until(() => unsure.IsCompleted, TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<StoreUnavailableException>(unsure);

        _store.IsFull = true;
        gate.Open();
        await rig.Until(() => rig.Pipeline.StoreError == "The disk is full.", TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Some.Count(value: 5));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(5);
        await _store.ShouldAgreeAsync(rig);
    }

    [Fact]
    public async Task WhatEndsWhileAnEarlierEndIsStillUnderWayAndFailsIsBookedWithIt()
    {
        var clock = new FakeTimeProvider();
        var store = new GuardedStore(_store, clock, new Warnings(new SearchedLog(), clock));
        var settlements = new Settlements(store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var first = settlements.AddAsync(new Settlement([], [Sample.Delivered(1)]));
        clock.Advance(TimeSpan.FromSeconds(10));
        await first;
        await settlements.AddAsync(new Settlement([], [Sample.Delivered(2)]));
        (await settlements.HandOverAsync()).ShouldBeFalse("the store is still at the first");

        _store.IsFull = true;
        gate.Open();
        await Patience.Until(async () =>
        {
            try
            {
                return await settlements.HandOverAsync();
            }
            catch (StoreUnavailableException)
            {
                _store.IsFull = false;
                return false;
            }
        });
        (await _store.ContentsAsync()).Ledger.ShouldBe([Sample.Delivered(3)]);
    }

    [Fact]
    public async Task WhoAsksAgainWhileTheStoreIsStillAtItIsNotToldThatItKeeps()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gate = new Gate();
        _store.Gate = gate.Opened;
        var first = rig.KeepOnceAsync("key", Some.Count()).AsTask();
        await rig.Until(() => first.IsCompleted, TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<StoreUnavailableException>(first);

        var again = rig.KeepOnceAsync("key", Some.Count()).AsTask();
        await again.ContinueWith(_ => { }, TaskScheduler.Default);
        gate.Open();
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.KeepOnceAsync("key", Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(1);
        (await Should.ThrowAsync<StoreUnavailableException>(again)).MayBeDurable.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AFlushThatAStoreDoesNotAnswerIsDurableOnceHoweverItEnds(bool succeeds)
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        using var gate = new Gate();
        await rig.KeepAsync(Some.Count(value: 5), Some.Distribution(value: 7));
        gauge.Set(1);
        _store.Gate = gate.Opened;
        var flush = rig.FlushAsync();
        await rig.Until(() => flush.IsCompleted, TimeSpan.FromSeconds(1));
        await flush;
        gauge.Set(2);
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => s.Metric).ShouldAllBe(metric => metric == "app.level", "gauges go on");
        rig.FarEnd.Series.ShouldContain(s => s.Points[0].Value == 2);

        _store.IsFull = !succeeds;
        gate.Open();
        await rig.Until(() => succeeds || rig.Pipeline.StoreError == "The disk is full.", TimeSpan.FromSeconds(1));
        _store.IsFull = false;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await rig.KeepAsync(Some.Count(value: 2));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(7);
        rig.Ledger(Lane.Distributions).ShouldBe(1, delivered: 1);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
        await _store.ShouldAgreeAsync(rig);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task HoweverTheDiskAndTheFarEndFailEverythingAcceptedArrivesOnceAndTheStoreAgrees(int seed)
    {
        var chance = new Random(seed);
        await using var rig = await Rig.StartAsync(store: _store);
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        // The log of a host: what the pipeline does not take waits there.
        List<int> facts = [];
        var accepted = 0;
        for (var step = 0; step < 300; step++)
        {
            switch (chance.Next(8))
            {
                case 0:
                    _store.IsFull = chance.Next(2) == 0;
                    break;
                case 1:
                    var status = chance.Next(2) == 0 ? 202 : 503;
                    rig.FarEnd.Answer = _ => new FarEndAnswer(status);
                    break;
                case 2:
                    await rig.FlushAsync();
                    break;
                case 3:
                    rig.Clock.Advance(TimeSpan.FromSeconds(3));
                    break;
                case 4:
                    try
                    {
                        await rig.KeepAsync(Some.Count(value: step));
                        accepted += step;
                    }
                    catch (StoreUnavailableException)
                    {
                        // Refused, so that it must not arrive.
                    }
                    break;
                case 5:
                    gauge.Set(step);
                    break;
                default:
                    facts.Add(step);
                    await HandInAsync();
                    break;
            }
        }
        _store.IsFull = false;
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.Until(() => rig.Pipeline.StoreError is null, TimeSpan.FromSeconds(1));
        await HandInAsync();
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
        rig.Pipeline.Position("log").ShouldBe(facts.Count);
        rig.FarEnd.Series.Where(s => s.Metric == "app.made")
            .Sum(s => s.Points[0].Value)
            .ShouldBe(accepted + facts.Sum());
        await _store.ShouldAgreeAsync(rig);

        async Task HandInAsync()
        {
            var from = rig.Pipeline.Position("log");
            if (from == facts.Count)
            {
                return;
            }

            try
            {
                await rig.Pipeline.KeepAsync(
                    [.. facts.Skip((int)from).Select(fact => Some.Count(value: fact))],
                    new StreamRange("log", from, facts.Count),
                    default
                );
            }
            catch (StoreUnavailableException)
            {
                // It comes again.
            }
        }
    }
}
