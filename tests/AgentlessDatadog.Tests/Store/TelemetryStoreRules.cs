using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>What every store does. To open again is what a new process would do.</summary>
public abstract class TelemetryStoreRules : IAsyncLifetime
{
    private protected ITelemetryStore Store { get; set; } = null!;

    private protected abstract ValueTask<StoreContents> OpenAgainAsync();

    public async ValueTask InitializeAsync() => await OpenAgainAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task ANewStoreHoldsNothing()
    {
        var contents = await OpenAgainAsync();

        contents.Text().ShouldBe(new StoreContents(0, 0, 0, [], [], [], [], []).Text());
        contents.Quarantined.ShouldBeNull();
    }

    [Fact]
    public async Task WhatIsAppendedIsThereAsItWas()
    {
        var at = DateTimeOffset.UnixEpoch.AddTicks(12345678901234567);
        Measurement[] measurements =
        [
            new("a.gauge", MetricType.Gauge, -0.5, ["user:zoë", "template:firefox"]) { Unit = "byte", Timestamp = at },
            new("a.count", MetricType.Count, 3, ["user:zoë"]) { IsItem = true },
            new("a.rate", MetricType.Rate, double.MaxValue, []),
            new("a.gauge", MetricType.Distribution, double.Epsilon, ["template:firefox", ""]) { Unit = "" },
        ];
        var arrivals = new JournalAppend(
            new JournalEntry(1, "sandbox", measurements),
            [Sample.Request(1), Sample.Request(2, size: 0)],
            Sample.Keys(1_700_000_000, 1, 2),
            [Sample.Accepted(5), new LedgerMove(Lane.Events, Account.Rejected, 1, "title is empty")]
        );

        await Append(arrivals);
        var contents = await OpenAgainAsync();

        contents.LastSequence.ShouldBe(1);
        contents.LastRequest.ShouldBe(2);
        contents.Journal.ShouldHaveSingleItem().Destination.ShouldBe("sandbox");
        var kept = contents.Journal[0].Measurements;
        kept.Select(one => one with { Tags = [] }).ShouldBe(measurements.Select(one => one with { Tags = [] }));
        kept.Select(one => string.Join('|', one.Tags)).ShouldBe(measurements.Select(one => string.Join('|', one.Tags)));
        contents.Outbox.ShouldBe(arrivals.Requests.Select(payload => payload.Header));
        contents.Keys.ShouldBe(arrivals.Keys);
        contents.Ledger.ShouldBe(arrivals.Moves, ignoreOrder: true);
    }

    [Fact]
    public async Task ACutPutsItsRequestsInPlaceOfWhatTheyWereMadeOf()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1, 10)));
        await Append(Sample.JournalAppend(Sample.Entry(2, 20)));
        await Append(Sample.JournalAppend(Sample.Entry(3, 30)));

        await Flush(Sample.Flush(1_700_000_000, sequence: 2, [Sample.Request(1)]));
        var contents = await OpenAgainAsync();

        contents.LastFlush.ShouldBe(1_700_000_000);
        contents.LastSequence.ShouldBe(3);
        contents.Journal.ShouldHaveSingleItem().Measurements[0].Value.ShouldBe(30);
        contents.Outbox.ShouldBe([Sample.Request(1).Header]);
    }

    [Fact]
    public async Task NumbersGoOnAlsoWhenNothingIsLeft()
    {
        await Append(Sample.JournalAppend(Sample.Entry(7, 1)));
        await Flush(Sample.Flush(5, sequence: 7, [Sample.Request(9)]));
        await Settle(new Settlement([9], []));

        var contents = await OpenAgainAsync();

        (contents.LastFlush, contents.LastSequence, contents.LastRequest).ShouldBe((5, 7, 9));
        contents.Journal.ShouldBeEmpty();
        contents.Outbox.ShouldBeEmpty();
    }

    [Fact]
    public async Task AnAppendWithoutMeasurementsLeavesNoEntry()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1), [Sample.Request(1)]));

        var contents = await OpenAgainAsync();

        contents.LastSequence.ShouldBe(1);
        contents.Journal.ShouldBeEmpty();
        contents.Outbox.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ABodyIsReadAsItWasUntilItIsSettled()
    {
        await Append(
            Sample.JournalAppend(Sample.Entry(1), [Sample.Request(1, size: 0), Sample.Request(2, size: 600_000)])
        );
        await OpenAgainAsync();

        (await Read(1)).ShouldBe([]);
        (await Read(2)).ShouldBe(Sample.Body(2, 600_000));
        await Settle(new Settlement([2], [Sample.Delivered(3)]));

        await Should.ThrowAsync<KeyNotFoundException>(async () => await Read(2));
        (await OpenAgainAsync()).Outbox.ShouldHaveSingleItem().Id.ShouldBe(1);
    }

    [Fact]
    public async Task ABodyMayBePartOfALargerBuffer()
    {
        var buffer = Sample.Body(1, 100);
        var payload = Sample.Request(1, size: 10) with { Body = buffer.AsMemory(20, 10) };
        await Append(Sample.JournalAppend(Sample.Entry(1), [payload]));
        await OpenAgainAsync();

        (await Read(1)).ShouldBe(buffer[20..30]);
    }

    [Fact]
    public async Task TheLedgerIsTheSumOfAllMovesWithAcceptancesFirst()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1), moves: [Sample.Accepted(10)]));
        await Settle(new Settlement([], [Sample.Delivered(4), new(Lane.Metrics, Account.Expired, 1, "too old")]));
        await Flush(Sample.Flush(1, 1, moves: [Sample.Accepted(2), new(Lane.Metrics, Account.Expired, 2, "no room")]));
        await Settle(new Settlement([], [new(Lane.Metrics, Account.Expired, 2, "too old")]));

        var contents = await OpenAgainAsync();

        contents.Ledger[0].ShouldBe(Sample.Accepted(12));
        contents.Ledger.ShouldBe(
            [
                Sample.Accepted(12),
                Sample.Delivered(4),
                new(Lane.Metrics, Account.Expired, 3, "too old"),
                new(Lane.Metrics, Account.Expired, 2, "no room"),
            ],
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task WhatWaitedInMemoryComesInWithTheEndOfOthersAndItsOwn()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1), [Sample.Request(1)]));
        await Settle(
            new Settlement([1, 3, 77], [Sample.Accepted(6), Sample.Delivered(6)])
            {
                Added = [Sample.Request(2), Sample.Request(3)],
            }
        );

        var contents = await OpenAgainAsync();

        contents.Outbox.ShouldBe([Sample.Request(2).Header]);
        contents.LastRequest.ShouldBe(3);
        (await Read(2)).ShouldBe(Sample.Body(2, 100));
    }

    [Fact]
    public async Task AStreamStandsWhereItCameLast()
    {
        await Move(1, new("a", 5), new("b", 7));
        await Move(2, new StreamPosition("a", 9));

        (await OpenAgainAsync()).Positions.ShouldBe([new("b", 7), new("a", 9)]);

        Task Move(long sequence, params StreamPosition[] positions) =>
            Append(Sample.JournalAppend(Sample.Entry(sequence)) with { Positions = positions }).AsTask();
    }

    [Fact]
    public async Task SeenKeysStayUntilACutForgetsThem()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1), keys: Sample.Keys(100, 1, 2)));
        await Append(Sample.JournalAppend(Sample.Entry(2), keys: Sample.Keys(200, 3)));
        await Append(Sample.JournalAppend(Sample.Entry(3), keys: Sample.Keys(300, 4)));

        await Flush(Sample.Flush(1, 3, forget: 200));
        (await OpenAgainAsync()).Keys.ShouldBe([.. Sample.Keys(200, 3), .. Sample.Keys(300, 4)]);

        await Flush(Sample.Flush(2, 3, forget: 301));
        (await OpenAgainAsync()).Keys.ShouldBeEmpty();
    }

    [Fact]
    public async Task LossesAddUpUntilACutTellsThem()
    {
        await Settle(new Settlement([], []) { Lost = [Sample.Lost(3, 20), Sample.Lost(1, 5, Lane.Events)] });
        await Settle(new Settlement([], []) { Lost = [Sample.Lost(4, 10, reason: "queue full")] });
        var sum = Sample.Lost(7, 20) with { From = Sample.At(10) };
        (await OpenAgainAsync()).Expired.ShouldBe([sum, Sample.Lost(1, 5, Lane.Events)], ignoreOrder: true);

        await Flush(Sample.Flush(1, 0) with { Reported = [sum with { Units = -5 }] });
        (await OpenAgainAsync()).Expired.Single(loss => loss.Lane == Lane.Metrics).Units.ShouldBe(2);

        // One that was told before the store had it, as when memory stood in for it.
        await Flush(Sample.Flush(2, 0) with { Reported = [sum with { Units = -6 }] });
        (await OpenAgainAsync()).Expired.ShouldBe([Sample.Lost(1, 5, Lane.Events)]);
        await Settle(new Settlement([], []) { Lost = [sum with { Units = 4 }] });
        (await OpenAgainAsync()).Expired.ShouldBe([Sample.Lost(1, 5, Lane.Events)]);
    }

    [Fact]
    public async Task AKeyThatIsStillNeededKeepsYoungerOnesThatAnEarlierClockDated()
    {
        await Append(Sample.JournalAppend(Sample.Entry(1), keys: Sample.Keys(300, 1)));
        await Append(Sample.JournalAppend(Sample.Entry(2), keys: Sample.Keys(100, 2)));

        await Flush(Sample.Flush(1, 2, forget: 200));

        (await OpenAgainAsync()).Keys.ShouldBe([.. Sample.Keys(300, 1), .. Sample.Keys(100, 2)]);
    }

    private protected ValueTask Append(JournalAppend arrivals) => Store.AppendAsync(arrivals, CancellationToken.None);

    private protected ValueTask Flush(JournalFlush flush) => Store.FlushAsync(flush, CancellationToken.None);

    private protected ValueTask Settle(Settlement settlement) => Store.SettleAsync(settlement, CancellationToken.None);

    private protected async ValueTask<byte[]> Read(long payload) =>
        (await Store.ReadAsync(payload, CancellationToken.None)).ToArray();
}
