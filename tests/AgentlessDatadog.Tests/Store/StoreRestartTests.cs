using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>The pipeline on a file, and new processes on the same file.</summary>
public sealed class StoreRestartTests : IAsyncDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly FileOfProcesses _store;

    public StoreRestartTests() => _store = new FileOfProcesses(_folder);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task SpansAndLogEntriesThatNoFlushHasTakenAreInTheFirstOfTheNextProcess()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.KeepAsync(Some.Span(rig.Clock.GetUtcNow()), Some.Log(rig.Clock.GetUtcNow()));

        await rig.RestartAsync();
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.Ledger(Lane.Traces).ShouldBe(2, delivered: 2);
        rig.Ledger(Lane.Logs).ShouldBe(2, delivered: 2);
        rig.FarEnd.Requests.Count(r => r.Path is "/v1/traces" or "/api/v2/logs").ShouldBe(2);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasKeptGoesOutOnceAfterARestartWithTheLedgerAsItWas()
    {
        await using var rig = await Rig.StartAsync(options => options with { ApiKey = null }, _store);
        await rig.KeepOnceAsync("once", Some.Count(value: 2), Some.Distribution(value: 7));
        await rig.KeepAsync(new DatadogEvent("Session created", "", rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.KeepAsync(Some.Count(value: 3));

        await rig.RestartAsync(options => options with { ApiKey = Secret.ApiKey });
        await rig.KeepOnceAsync("once", Some.Count(value: 2), Some.Distribution(value: 7));
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));

        rig.FarEnd.Series.Sum(series => series.Points.Sum(point => point.Value)).ShouldBe(5);
        foreach (var lane in Lane.All)
        {
            rig.Ledger(lane).Delivered.ShouldBe(rig.Ledger(lane).Accepted, lane.ToString());
        }

        rig.Ledger(Lane.Events).Accepted.ShouldBe(1);

        await rig.RestartAsync();
        rig.Ledger(Lane.Metrics).Delivered.ShouldBe(2);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatWasLostIsToldAlsoByTheProcessAfterTheOneThatWasKilled()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        var at = rig.Clock.GetUtcNow().AddSeconds(1);
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await rig.Until(() => rig.Ledger(Lane.Metrics).Expired == 1, TimeSpan.FromSeconds(1));

        await rig.RestartAsync();
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Count());
        for (var i = 0; i < 3; i++)
        {
            await rig.FlushAsync();
            await rig.UntilSent(TimeSpan.FromSeconds(1));
        }
        await rig.RestartAsync();
        await rig.FlushAsync();
        await rig.UntilSent();
        var told = rig.FarEnd.Requests.Where(request => request.Path == "/api/v1/events").ShouldHaveSingleItem();
        Encoding.UTF8.GetString(told.Body).ShouldContain($"1 metric points from {at:yyyy-MM-dd HH:mm:ss}");
    }

    [Fact]
    public async Task WhatAKilledProcessHadFoldedIsToldByTheNext()
    {
        await using var rig = await Rig.StartAsync(store: _store);
        var events = Enumerable.Range(0, 100).Select(_ => new DatadogEvent("Made", "", rig.Clock.GetUtcNow()));
        await rig.KeepAsync([.. events.Select(made => made with { Kind = "made" })]);
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(100, delivered: 60, queued: 40);

        for (var restart = 0; restart < 2; restart++)
        {
            await rig.RestartAsync();
            await rig.FlushAsync();
            await rig.UntilSent();
            rig.Ledger(Lane.Events).ShouldBe(101, delivered: 61, overflowed: 40);
        }
        Encoding.UTF8.GetString(rig.FarEnd.Requests[^1].Body).ShouldContain("40 more events: before a restart");
    }

    [Fact]
    public async Task WhoAsksAgainUntilItIsAcknowledgedCountsOnceOverAnyRestarts()
    {
        const int restarts = 12;
        await using var rig = await Rig.StartAsync(store: _store);
        var acknowledged = 0;
        using var enough = new CancellationTokenSource();
        var calling = Enumerable.Range(0, 4).Select(caller => Task.Run(() => CallAsync(caller))).ToList();
        for (var i = 0; i < restarts; i++)
        {
            var before = Volatile.Read(ref acknowledged);
            await rig.FlushAsync();
            await rig.RestartAsync();
            await rig.Until(() => Volatile.Read(ref acknowledged) > before);
        }
        await enough.CancelAsync();
        await Task.WhenAll(calling);
        await rig.FlushAsync();
        await rig.UntilSent(TimeSpan.FromSeconds(1));

        rig.FarEnd.Series.Sum(series => series.Points.Sum(point => point.Value)).ShouldBe(acknowledged);
        rig.Ledger(Lane.Metrics).ShouldBe(acknowledged, delivered: acknowledged);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();

        async Task CallAsync(int caller)
        {
            var kept = 0;
            var isUnanswered = false;
            while (isUnanswered || !enough.IsCancellationRequested)
            {
                isUnanswered = true;
                try
                {
                    await rig.KeepOnceAsync($"{caller}-{kept}", Some.Count());
                    kept++;
                    isUnanswered = false;
                    Interlocked.Increment(ref acknowledged);
                }
                catch (InvalidOperationException)
                {
                    // Between two processes: was it kept or not? The key makes it safe to ask again.
                    await Task.Yield();
                }
            }
        }
    }

    /// <summary>A store that is opened anew by each process that comes.</summary>
    private sealed class FileOfProcesses(StoreFolder folder) : ITelemetryStore
    {
        private PromptStore _current = new(folder.NewStore());

        public async ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken)
        {
            await _current.DisposeAsync();
            _current = new PromptStore(folder.NewStore());
            return await _current.OpenAsync(cancellationToken);
        }

        public ValueTask AppendAsync(JournalAppend arrivals, CancellationToken cancellationToken) =>
            _current.AppendAsync(arrivals, cancellationToken);

        public ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken) =>
            _current.FlushAsync(flush, cancellationToken);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken) =>
            _current.ReadAsync(payload, cancellationToken);

        public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken) =>
            _current.SettleAsync(settlement, cancellationToken);

        public ValueTask DisposeAsync() => _current.DisposeAsync();
    }
}
