using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreTests : IAsyncDisposable
{
    private readonly FailingStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task WhatCouldNotBeKeptIsToldToTheCallerAndCountsNowhere()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.AppendFails = true;
        await Should.ThrowAsync<IOException>(async () => await rig.KeepOnceAsync("key", Some.Count()));
        _store.AppendFails = false;
        await rig.KeepOnceAsync("key", Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldHaveSingleItem().Points[0].Value.ShouldBe(1);
        rig.Ledger(Lane.Metrics).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task AFlushThatCouldNotBeKeptGoesIntoTheNext()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var counter = rig.Pipeline.Counter("app.seen", []);
        counter.Add(2);
        await rig.KeepAsync(Some.Count(value: 1), Some.Distribution(value: 7));
        _store.FlushFails = true;
        await Should.ThrowAsync<IOException>(rig.FlushAsync);
        _store.FlushFails = false;
        counter.Add(3);
        await rig.KeepAsync(Some.Count(value: 4), Some.Distribution(value: 8));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Select(s => (s.Metric, s.Points[0].Value)).ShouldBe([("app.seen", 5), ("app.made", 5)]);
        rig.FarEnd.Series.ShouldAllBe(s => s.Interval == 2);
        rig.Ledger(Lane.Metrics).ShouldBe(3, delivered: 3);
        rig.Ledger(Lane.Distributions).ShouldBe(2, delivered: 2);
    }

    [Fact]
    public async Task OptionsStayWhenTheCutBeforeThemCannotBeKept()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "sandbox" }, _store);
        await rig.KeepAsync(Some.Count("demo.made"));
        _store.FlushFails = true;
        var next = rig.Options with { Destination = "datadog", Tags = ["env:real"] };
        await Should.ThrowAsync<IOException>(async () => await rig.ConfigureAsync(next));
        _store.FlushFails = false;
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldHaveSingleItem().Tags.ShouldBeEmpty();
    }

    [Fact]
    public async Task ARequestThatCouldNotBeSettledIsSentAgain()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        _store.SettleFails = true;
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.Until(() => rig.FarEnd.Requests.Count == 2, TimeSpan.FromSeconds(1));
        _store.SettleFails = false;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.Ledger(Lane.Metrics).ShouldBe(1, delivered: 1);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasKeptAndNotCutComesBackAfterARestart()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        await rig.KeepAsync(Some.Count(value: 2), Some.Distribution(value: 7));
        await rig.RestartAsync();
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldHaveSingleItem().Points[0].Value.ShouldBe(2);
        rig.Ledger(Lane.Metrics).ShouldBe(1, delivered: 1);
        rig.Ledger(Lane.Distributions).ShouldBe(1, delivered: 1);
        await rig.RestartAsync();
        rig.Ledger(Lane.Metrics).ShouldBe(1, delivered: 1);
        rig.FarEnd.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task WhoeverArrivesTogetherSharesACommit()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(_ => Task.Run(async () => await rig.KeepAsync(Some.Count())))
        );
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(1000);
        _store.Appends.ShouldBeLessThanOrEqualTo(1000);
    }

    [Fact]
    public async Task NothingIsLostOrDoubledWhileCallersFlushesAndFailuresRace()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        using var counter = rig.Pipeline.Counter("app.seen", []);
        var kept = 0;
        var callers = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Run(async () =>
                {
                    for (var i = 0; i < 300; i++)
                    {
                        counter.Add();
                        try
                        {
                            await rig.KeepAsync(Some.Count());
                            Interlocked.Increment(ref kept);
                        }
                        catch (IOException)
                        {
                            // Not kept, so not counted.
                        }
                    }
                })
            )
            .ToList();
        var random = new Random(1);
        while (!callers.TrueForAll(caller => caller.IsCompleted))
        {
            _store.AppendFails = random.Next(4) == 0;
            _store.FlushFails = random.Next(3) == 0;
            rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await rig.FlushNowAsync().AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
        }
        await Task.WhenAll(callers);
        _store.AppendFails = _store.FlushFails = false;
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(kept);
        rig.FarEnd.Series.Where(s => s.Metric == "app.seen").Sum(s => s.Points[0].Value).ShouldBe(1200);
        rig.Ledger(Lane.Metrics).ShouldBalance();
        rig.Ledger(Lane.Metrics).Delivered.ShouldBe(rig.Ledger(Lane.Metrics).Accepted);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatIsJournaledForADestinationGoesIntoItsRequestsWhileTheDestinationChanges()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "a", ApiKey = null }, _store);
        var journaled = new Dictionary<string, double>();
        var queued = new Dictionary<string, double>();
        _store.OnAppend = arrivals => Add(journaled, arrivals.Journal.Destination, arrivals.Journal.Measurements.Count);
        _store.OnFlush = flush =>
        {
            foreach (var payload in flush.Requests)
            {
                var series = WireReader.ReadPayload(PayloadCheck.Unpack(payload.Header.ContentEncoding, payload.Body));
                Add(queued, payload.Header.Destination, series.Sum(one => one.Points[0].Value));
            }
        };
        // Enough series for an encoding to take as long as an arrival does.
        await rig.KeepAsync([.. Enumerable.Range(0, 3000).Select(i => Some.Count("app.made", 1, $"id:{i}"))]);
        Measurement[] more = [.. Enumerable.Range(0, 100).Select(i => Some.Count("app.made", 1, $"id:{i}"))];
        var stop = false;
        var calling = KeepOnAsync();
        for (var i = 0; i < 40; i++)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await rig.ConfigureAsync(rig.Options with { Destination = i % 2 == 0 ? "b" : "a" });
        }
        Volatile.Write(ref stop, true);
        await calling;
        await rig.FlushAsync();
        queued.ShouldBe(journaled, ignoreOrder: true);

        async Task KeepOnAsync()
        {
            while (!Volatile.Read(ref stop))
            {
                await rig.KeepAsync(more);
            }
        }
    }

    [Fact]
    public async Task WhatAHandleIsSetToBeforeADestinationChangesDoesNotGoToTheNext()
    {
        await using var rig = await Rig.StartAsync(o => o with { Destination = "sandbox", ApiKey = null }, _store);
        using var gauge = rig.Pipeline.Gauge("demo.level", []);
        gauge.Set(1);
        _store.OnFlush = _ => gauge.Set(2);
        await rig.ConfigureAsync(rig.Options with { Destination = "datadog" });
        _store.OnFlush = _ => { };
        await rig.FlushAsync();
        rig.Pipeline.Status.Queue.Requests.ShouldBe(1);
    }

    private static void Add(Dictionary<string, double> sums, string destination, double more) =>
        sums[destination] = sums.GetValueOrDefault(destination) + more;
}
