using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreFailureTests : IDisposable
{
    private const string NoMount = "The right to mount a file system is missing.";

    private readonly StoreFolder _folder = new(onDisk: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatDoesNotFitIsKeptInNoPartAndRoomMakesTheStoreWorkAgain()
    {
        // A bound on the file, which behaves as a full disk does and needs no rights.
        var schema = new SqliteSchema([.. SqliteSchema.Steps, "PRAGMA max_page_count = 60"]);
        var memory = new MemoryStore();
        await using (var store = new SqliteStore(_folder.File, TimeProvider.System, schema))
        {
            await store.OpenAsync(CancellationToken.None);
            var full = await AppendUntilItFailsAsync(store, memory);
            full.Message.ShouldBe("The disk of telemetry.db is full.");

            await BothAsync(store, memory, one => one.SettleAsync(new Settlement([1, 2], []), CancellationToken.None));
        }
        (await TextAsync(_folder.File, schema)).ShouldBe(await TextAsync(memory));

        await using (var store = new SqliteStore(_folder.File, TimeProvider.System, schema))
        {
            await store.OpenAsync(CancellationToken.None);
            await BothAsync(store, memory, one => one.AppendAsync(Big(1000), CancellationToken.None));
        }
        (await TextAsync(_folder.File, schema)).ShouldBe(await TextAsync(memory));
    }

    [Fact]
    public async Task AFullDiskCostsNothingThatWasKeptAndTheStoreGoesOnWhenThereIsRoom()
    {
        using var disk = SmallDisk.TryMount();
        Assert.SkipWhen(disk is null, NoMount);
        var memory = new MemoryStore();
        await using (var store = new SqliteStore(disk.File, TimeProvider.System))
        {
            await store.OpenAsync(CancellationToken.None);
            await BothAsync(store, memory, one => one.AppendAsync(Big(1), CancellationToken.None));
            disk.Fill();
            var full = await AppendUntilItFailsAsync(store, memory, from: 2);
            full.Message.ShouldBe("The disk of telemetry.db is full.");
            (await store.ReadAsync(1, CancellationToken.None)).Length.ShouldBe(20_000);
            await Should.ThrowAsync<StoreUnavailableException>(async () =>
                await store.FlushAsync(BigFlush(), CancellationToken.None)
            );

            disk.Empty();
            await BothAsync(store, memory, one => one.AppendAsync(Big(1000), CancellationToken.None));
            await BothAsync(store, memory, one => one.FlushAsync(BigFlush(), CancellationToken.None));
        }

        (await TextAsync(disk.File)).ShouldBe(await TextAsync(memory));
    }

    [Fact]
    public async Task AReadOnlyDiskIsToldAndTheStoreOpensWhenItCanWrite()
    {
        using var disk = SmallDisk.TryMount();
        Assert.SkipWhen(disk is null, NoMount);
        await using (var store = new SqliteStore(disk.File, TimeProvider.System))
        {
            await store.OpenAsync(CancellationToken.None);
            await store.AppendAsync(Big(1), CancellationToken.None);
        }
        disk.Remount("ro").ShouldBeTrue();
        await using var again = new SqliteStore(disk.File, TimeProvider.System);

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await again.OpenAsync(CancellationToken.None)
        );
        error.Message.ShouldBe("telemetry.db is read-only.");

        disk.Remount("rw").ShouldBeTrue();
        (await again.OpenAsync(CancellationToken.None)).Outbox.Count.ShouldBe(1);
    }

    [Fact]
    public async Task WhoFailsInASharedCommitFailsAlone()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1), [Sample.Request(7)]), CancellationToken.None);

        var calls = Enumerable
            .Range(2, 40)
            .Select(n =>
                store.AppendAsync(
                    Sample.JournalAppend(Sample.Entry(n, n), [Sample.Request(n == 20 ? 7 : n + 100)]),
                    CancellationToken.None
                )
            )
            .Select(call => call.AsTask())
            .ToList();
        await Task.WhenAll(calls).ContinueWith(_ => { }, TaskScheduler.Default);

        calls.Where(call => call.IsFaulted).ShouldHaveSingleItem().ShouldBe(calls[18]);
        await Should.ThrowAsync<ArgumentException>(calls[18]);
        await store.DisposeAsync();
        await using var again = _folder.NewStore();
        var contents = await again.OpenAsync(CancellationToken.None);
        contents
            .Journal.Select(entry => entry.Sequence)
            .ShouldBe(Enumerable.Range(2, 40).Where(n => n != 20).Select(n => (long)n));
    }

    [Fact]
    public async Task WhoComesWhileACommitIsUnderWaySharesTheNext()
    {
        const int callers = 300;
        await using var store = await OpenAsync();
        var calls = Enumerable
            .Range(1, callers)
            .Select(n => store.AppendAsync(Sample.JournalAppend(Sample.Entry(n, 1)), CancellationToken.None).AsTask());
        await Task.WhenAll(calls);

        // Alone, each would have written two pages at least: its entry's and the state's.
        var pages = new FileInfo(_folder.Log).Length / 4096;
        pages.ShouldBeLessThan(callers);
    }

    [Fact]
    public async Task ACallThatIsGivenUpBeforeItsTurnIsNotKept()
    {
        await using (var store = await OpenAsync())
        {
            var first = store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None).AsTask();
            var cancelled = new CancellationToken(canceled: true);
            var second = store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 2)), cancelled).AsTask();
            await first;
            await Should.ThrowAsync<OperationCanceledException>(second);
        }

        await using var again = _folder.NewStore();
        (await again.OpenAsync(CancellationToken.None)).Journal.ShouldHaveSingleItem().Sequence.ShouldBe(1);
    }

    [Fact]
    public async Task WhatWasAskedBeforeTheEndIsKeptAndWhatComesAfterIsRefused()
    {
        var store = await OpenAsync();
        var calls = Enumerable
            .Range(1, 50)
            .Select(n => store.AppendAsync(Sample.JournalAppend(Sample.Entry(n, n)), CancellationToken.None).AsTask())
            .ToList();

        await store.DisposeAsync();
        await Task.WhenAll(calls);
        await Should.ThrowAsync<ObjectDisposedException>(async () =>
            await store.AppendAsync(Big(99), CancellationToken.None)
        );
        await store.DisposeAsync();

        await using var again = _folder.NewStore();
        (await again.OpenAsync(CancellationToken.None)).Journal.Count.ShouldBe(50);
    }

    private static JournalAppend Big(long n) =>
        Sample.JournalAppend(
            Sample.Entry(n, 1),
            [Sample.Request(n, 20_000)],
            Sample.Keys(n, (int)n),
            [Sample.Accepted(1)]
        );

    private static JournalFlush BigFlush() =>
        Sample.Flush(5, 1, [Sample.Request(5000, 30_000)], [Sample.Accepted(3)], forget: 2);

    private static async Task<StoreUnavailableException> AppendUntilItFailsAsync(
        SqliteStore store,
        MemoryStore memory,
        long from = 1
    )
    {
        for (var n = from; ; n++)
        {
            try
            {
                await store.AppendAsync(Big(n), CancellationToken.None);
            }
            catch (StoreUnavailableException error)
            {
                return error;
            }
            await memory.AppendAsync(Big(n), CancellationToken.None);
        }
    }

    private static async Task BothAsync(SqliteStore store, MemoryStore memory, Func<ITelemetryStore, ValueTask> step)
    {
        await step(store);
        await step(memory);
    }

    private static async Task<string> TextAsync(string path, SqliteSchema? schema = null)
    {
        await using var store = new SqliteStore(path, TimeProvider.System, schema ?? SqliteSchema.Current);
        return (await store.OpenAsync(CancellationToken.None)).Text();
    }

    private static async Task<string> TextAsync(MemoryStore memory) =>
        (await memory.OpenAsync(CancellationToken.None)).Text();

    private async Task<SqliteStore> OpenAsync()
    {
        var store = _folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        return store;
    }
}
