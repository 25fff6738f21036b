using System.Diagnostics.CodeAnalysis;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreFileTests : IDisposable
{
    private const string NextStep = "CREATE TABLE note (text TEXT); UPDATE state SET last_cut = last_cut + 1";

    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [SuppressMessage("Interoperability", "CA1416", Justification = "The skip sees to it.")]
    public async Task OnlyTheOwnerCanReadTheFileAndWhatLiesBesideIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Rights are Unix's.");
        await using (var store = await OpenAsync())
        {
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None);
        }

        await LeaveALogAsync();
        foreach (var file in _folder.Files)
        {
            File.SetUnixFileMode(file, (UnixFileMode)0b110_100_100);
        }

        await using (var store = await OpenAsync())
        {
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None);

            _folder.Names.ShouldContain("telemetry.db-wal");
            foreach (var file in _folder.Files)
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
            }
        }
    }

    [Fact]
    public async Task AnOlderFileIsMigratedWithAllThatItHolds()
    {
        await FillAsync();

        await using var store = new SqliteStore(_folder.File, TimeProvider.System, Schema(NextStep));
        var contents = await store.OpenAsync(CancellationToken.None);

        contents.LastFlush.ShouldBe(6);
        contents.Journal.ShouldHaveSingleItem();
        contents.Quarantined.ShouldBeNull();
    }

    [Fact]
    public async Task AFileOfAnyFormerVersionIsBroughtUpToThisOneWithAllThatItHolds()
    {
        for (var version = 1; version < Known; version++)
        {
            using var folder = new StoreFolder();
            using (
                var old = new SqliteFile(folder.File, new SqliteSchema([.. SqliteSchema.Steps.Take(version)])).Open()
            )
            {
                old.Run(
                    $"""
                    UPDATE state SET last_cut = 5, last_sequence = 9, last_payload = 3;
                    INSERT INTO {(version < 4 ? "seen" : "seen_key")} VALUES (1, 77, zeroblob(16));
                    INSERT INTO journal VALUES (9, 'datadog', {Checksum.Of(OldRow)}, x'{Convert.ToHexString(OldRow)}');
                    """
                );
                // Ids of sessions: what they said counts by the place of a stream.
                if (version is 2 or 3)
                {
                    old.Run("INSERT INTO seen_of_subjects VALUES (1, 77, zeroblob(16))");
                }
            }

            await using var store = folder.NewStore();
            var contents = await store.OpenAsync(CancellationToken.None);

            var journal = new JournalEntry(9, "datadog", [new("app.made", MetricType.Count, 2, []) { IsItem = true }]);
            contents.Text().ShouldBe(new StoreContents(5, 9, 3, [journal], [], [new SeenKey(0, 77)], [], []).Text());
            contents.Quarantined.ShouldBeNull();
        }
    }

    // What the first version wrote of a count of 2 named app.made, an item, with the id life-1.
    private static byte[] OldRow { get; } =
    [
        1, // version
        1, // measurements
        0b0010_0101, // a count, an item, an id
        0,
        8,
        .. "app.made"u8,
        .. BitConverter.GetBytes(2.0),
        0, // tags
        6,
        .. "life-1"u8,
    ];

    [Fact]
    public async Task LanesThatWereNumbersInAnOlderFileAreNamesWithAllThatWasTheirs()
    {
        using (var old = new SqliteFile(_folder.File, new SqliteSchema([.. SqliteSchema.Steps.Take(2)])).Open())
        {
            for (var lane = 0; lane < 3; lane++)
            {
                old.Run(
                    $"INSERT INTO outbox VALUES ({lane}, {lane}, 'd', '/p', 'text/plain', NULL, 0, {lane}, 7, 0, x'')"
                );
                old.Run($"INSERT INTO ledger VALUES (0, {lane}, '', {lane})");
                old.Run($"INSERT INTO loss VALUES ({lane}, 'd', {lane + 1}, 1, 2, 'old')");
            }
        }

        await using var store = _folder.NewStore();
        var contents = await store.OpenAsync(CancellationToken.None);

        Lane[] lanes = [Lane.Metrics, Lane.Distributions, Lane.Events];
        contents
            .Outbox.Select(header => (header.Lane, header.Units))
            .ShouldBe(lanes.Select((lane, i) => (lane, (long)i)));
        contents.Ledger.ShouldBe(lanes.Select((lane, i) => new LedgerMove(lane, Account.Queued, i)), ignoreOrder: true);
        contents
            .Expired.Select(loss => (loss.Lane, loss.Units))
            .ShouldBe(lanes.Select((l, i) => (l, i + 1L)), ignoreOrder: true);
        (await store.ReadAsync(2, CancellationToken.None)).Length.ShouldBe(0);
    }

    [Fact]
    public async Task AMigrationThatFailsLeavesTheFileAsItWas()
    {
        await FillAsync();

        await using (var store = new SqliteStore(_folder.File, TimeProvider.System, Schema(NextStep, "no SQL")))
        {
            var error = await Should.ThrowAsync<StoreUnavailableException>(async () => await store.OpenAsync(default));
            error.Message.ShouldBe(
                $"{_folder.File} could not be brought from schema {Known} to {Known + 2}; it is as it was."
            );
        }

        await using var old = _folder.NewStore();
        var contents = await old.OpenAsync(CancellationToken.None);
        contents.LastFlush.ShouldBe(5);
        contents.Quarantined.ShouldBeNull();
    }

    [Fact]
    public async Task ANewerFileIsRefusedWithAWayOutAndNotTouched()
    {
        await using (var newer = new SqliteStore(_folder.File, TimeProvider.System, Schema(NextStep)))
        {
            await newer.OpenAsync(CancellationToken.None);
        }

        var bytes = _folder.ReadFile();

        await using var store = _folder.NewStore();
        var error = await Should.ThrowAsync<NotSupportedException>(async () => await store.OpenAsync(default));

        error.Message.ShouldBe(
            $"{_folder.File} was written by a newer version of this program (its schema is {Known + 1}, this program knows {Known}). "
                + "Start that version again, or move the file away to begin a new one."
        );
        await store.DisposeAsync();
        _folder.ReadFile().AsSpan().SequenceEqual(bytes).ShouldBeTrue();
        _folder.Names.ShouldBe(["telemetry.db"]);
    }

    [Fact]
    public async Task ASecondStoreOnTheFileIsRefusedUntilTheFirstIsGone()
    {
        var first = await OpenAsync();
        await using var second = _folder.NewStore();

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () => await second.OpenAsync(default));
        error.Message.ShouldBe("telemetry.db is in use by another process.");

        await first.DisposeAsync();
        await second.OpenAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AFolderThatIsMissingIsToldAndMayComeLater()
    {
        var folder = Path.Combine(Path.GetDirectoryName(_folder.File)!, "later");
        await using var store = new SqliteStore(Path.Combine(folder, "telemetry.db"), TimeProvider.System);

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () => await store.OpenAsync(default));
        error.Message.ShouldContain("telemetry.db");

        Directory.CreateDirectory(folder);
        await store.OpenAsync(CancellationToken.None);
    }

    [Fact]
    public async Task RoomIsGivenBackAfterABacklogHasGone()
    {
        const int requests = 200;
        await using var store = await OpenAsync();
        for (var id = 1; id <= requests; id++)
        {
            var flush = Sample.Flush(id, 0, [Sample.Request(id, 200_000)]);
            await store.FlushAsync(flush, CancellationToken.None);
        }
        var full = Room();

        for (var id = 1; id <= requests; id++)
        {
            await store.SettleAsync(new Settlement([id], []), CancellationToken.None);
        }

        for (var i = 0; i < 100; i++)
        {
            await store.FlushAsync(Sample.Flush(requests + i, 0), CancellationToken.None);
        }

        full.ShouldBeGreaterThan(40_000_000);
        Room().ShouldBeLessThan(25_000_000);
        await store.DisposeAsync();
        Room().ShouldBeLessThan(8_000_000);
    }

    [Theory]
    [InlineData("synchronous", "2")]
    [InlineData("journal_mode", "wal")]
    [InlineData("auto_vacuum", "2")]
    public void ACommitReturnsWhenTheDiskHasIt(string pragma, string value)
    {
        using var database = new SqliteFile(_folder.File, SqliteSchema.Current).Open();
        database.Prepare($"PRAGMA {pragma}").Read(row => row.Text(0)).ShouldBe([value]);
    }

    [Fact]
    public void TheNamesAndNumbersThatAreOnDiskNeverChange()
    {
        Lane.All.Select(lane => lane.Name).Take(3).ShouldBe(["metrics", "distributions", "events"]);
        Enum.GetValues<Account>()
            .Select(account => $"{(int)account} {account}")
            .ShouldBe(["0 Queued", "1 Delivered", "2 Overflowed", "3 Expired", "4 Rejected", "5 Uncertain"]);
        Enum.GetValues<MetricType>()
            .Select(type => $"{(int)type} {type}")
            .ShouldBe(["0 Gauge", "1 Count", "2 Rate", "3 Distribution"]);
    }

    private static int Known => SqliteSchema.Steps.Count;

    private static SqliteSchema Schema(params string[] more) => new([.. SqliteSchema.Steps, .. more]);

    // As a kill leaves it.
    private async Task LeaveALogAsync()
    {
        await using var store = await OpenAsync();
        await store.FlushAsync(Sample.Flush(1, 0), CancellationToken.None);
        var (file, log) = (_folder.ReadFile(), _folder.ReadLog());
        await store.DisposeAsync();
        _folder.WriteFile(file);
        _folder.WriteLog(log);
    }

    private long Room() => _folder.Files.Sum(file => new FileInfo(file).Length);

    private async Task<SqliteStore> OpenAsync()
    {
        var store = _folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        return store;
    }

    private async Task FillAsync()
    {
        await using var store = await OpenAsync();
        await store.FlushAsync(Sample.Flush(5, 0), CancellationToken.None);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None);
    }
}
