using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

public sealed class StoreDamageTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddDays(20_000.5));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(-7)]
    public async Task AFileThatHasLostItsVersionIsQuarantined(int version)
    {
        await using (var store = _folder.NewStore())
        {
            await store.OpenAsync(CancellationToken.None);
        }

        using (var file = new SqliteFile(_folder.File, SqliteSchema.Current).Open())
        {
            file.Run($"PRAGMA user_version = {version}");
        }

        await using var next = _folder.NewStore();
        (await next.OpenAsync(CancellationToken.None)).Quarantined!.Reason.ShouldContain("version is missing");
    }

    [Fact]
    public async Task AFileThatIsNoDatabaseIsQuarantinedAndANewOneBegins()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("this is no database\n", 1000)));
        _folder.WriteFile(text);

        var contents = await OpenAsync();

        contents.Quarantined.ShouldBe(
            new QuarantinedFile(_folder.File + ".damaged-20241004T120000Z", "it is not a database")
        );
        contents.Journal.ShouldBeEmpty();
        File.ReadAllBytes(contents.Quarantined!.Path).ShouldBe(text);
        (await OpenAsync()).Quarantined.ShouldBeNull();
    }

    [Fact]
    public async Task ADamagedHeaderIsQuarantined()
    {
        await FillAsync();
        Overwrite(0, 64);

        (await OpenAsync()).Quarantined.ShouldNotBeNull();
    }

    [Fact]
    public async Task ADamagedPageInTheMiddleIsQuarantined()
    {
        await FillAsync();
        Overwrite(4096, 4096);

        (await OpenAsync()).Quarantined.ShouldNotBeNull();
    }

    [Fact]
    public async Task AFileThatHasLostItsEndIsQuarantined()
    {
        await FillAsync();
        var bytes = _folder.ReadFile();
        _folder.WriteFile(bytes[..(bytes.Length / 2)]);

        (await OpenAsync()).Quarantined.ShouldNotBeNull();
    }

    [Fact]
    public async Task OneChangedByteInAMeasurementIsNoticed()
    {
        await FillAsync();
        Flip("metric-to-find");

        (await OpenAsync()).Quarantined!.Reason.ShouldBe("entry 1 of its journal is damaged");
    }

    [Fact]
    public async Task OneChangedByteInABodyIsNoticedWhenItIsRead()
    {
        await FillAsync();
        Flip("body to find");
        await using var store = new SqliteStore(_folder.File, _clock);
        (await store.OpenAsync(CancellationToken.None)).Quarantined.ShouldBeNull();

        await Should.ThrowAsync<InvalidDataException>(async () => await store.ReadAsync(99, CancellationToken.None));
        (await store.ReadAsync(1, CancellationToken.None)).ToArray().ShouldBe(Sample.Body(1, 3000));
    }

    [Fact]
    public async Task TwoDamagedFilesOfOneSecondAreBothKept()
    {
        for (var i = 0; i < 2; i++)
        {
            _folder.WriteFile($"damaged {i}, and long enough to be taken for a file");
            (await OpenAsync()).Quarantined.ShouldNotBeNull();
        }

        _folder.Names.ShouldBe([
            "telemetry.db",
            "telemetry.db.damaged-20241004T120000Z",
            "telemetry.db.damaged-20241004T120000Z-2",
        ]);
    }

    [Fact]
    public async Task TheLogOfADamagedFileIsKeptWithItAndNeverGetsIntoTheNewOne()
    {
        await FillAsync();
        await using (var store = new SqliteStore(_folder.File, _clock))
        {
            await store.OpenAsync(CancellationToken.None);
            var inLog = Sample.Measurement(1, "in-the-log-only");
            var entry = Sample.Entry(100) with { Measurements = [inLog] };
            await store.AppendAsync(Sample.JournalAppend(entry), CancellationToken.None);
            var (file, log) = (_folder.ReadFile(), _folder.ReadLog());
            await store.DisposeAsync();
            _folder.WriteFile(file);
            _folder.WriteLog(log);
        }
        Overwrite(0, 64);

        var contents = await OpenAsync();

        contents.Journal.ShouldBeEmpty();
        var aside = _folder.Files.Where(file => file.StartsWith(contents.Quarantined!.Path, StringComparison.Ordinal));
        aside.ShouldContain(file => File.ReadAllText(file).Contains("in-the-log-only", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatADamagedLogHeldIsCountedAndToldAndTheLogIsQuarantined()
    {
        var (file, log) = await LeaveLogAsync();
        // In the page of the second commit: SQLite reads the log up to there and says nothing.
        log[log.AsSpan().IndexOf("commit-2"u8)] ^= 1;
        _folder.WriteFile(file);
        _folder.WriteLog(log);
        await using var store = new SqliteStore(_folder.File, _clock);
        var told = new SearchedLog();
        await using var rig = await Rig.StartAsync(store: store, log: told);

        var said = rig.Pipeline.Status.StoreDamage.ShouldNotBeNull();
        said.ShouldStartWith("telemetry.db-wal was damaged: what was kept in ");
        said.ShouldContain(_folder.Log + ".damaged-20241004T120000Z");
        told.Text.ShouldContain(said);
        File.ReadAllBytes(_folder.Log + ".damaged-20241004T120000Z").ShouldBe(log);
    }

    [Fact]
    public async Task ALogWhoseLastFrameWasNotWrittenToItsEndIsNotDamaged()
    {
        var (file, log) = await LeaveLogAsync();
        for (var cut = 1; cut < log.Length - 32; cut += 700)
        {
            _folder.WriteFile(file);
            _folder.WriteLog(log[..^cut]);
            (await OpenAsync()).LogDamage.ShouldBeNull($"{cut} bytes were not written");
        }
        var torn = (byte[])log.Clone();
        torn[^1] ^= 1;
        _folder.WriteFile(file);
        _folder.WriteLog(torn);
        (await OpenAsync()).LogDamage.ShouldBeNull();
    }

    // As a kill leaves both.
    private async Task<(byte[] File, byte[] Log)> LeaveLogAsync()
    {
        await using var store = new SqliteStore(_folder.File, _clock);
        await store.OpenAsync(CancellationToken.None);
        for (var i = 1; i <= 5; i++)
        {
            var entry = Sample.Entry(i) with { Measurements = [Sample.Measurement(i, $"commit-{i}")] };
            await store.AppendAsync(Sample.JournalAppend(entry), CancellationToken.None);
        }
        return (_folder.ReadFile(), _folder.ReadLog());
    }

    [Fact]
    public async Task WhatIsQuarantinedIsNamedInStatusAndLog()
    {
        await FillAsync();
        Overwrite(4096, 4096);
        await using var store = new SqliteStore(_folder.File, _clock);
        var log = new SearchedLog();
        await using var rig = await Rig.StartAsync(store: store, log: log);

        const string name = "telemetry.db.damaged-20241004T120000Z";
        var said = rig.Pipeline.Status.StoreDamage.ShouldNotBeNull();
        said.ShouldStartWith("The telemetry store was damaged (");
        said.ShouldContain($"{name}: the queue and the ledger begin anew.");
        log.Text.ShouldContain(said);
    }

    [Fact]
    public async Task WhateverIsDamagedTheStoreOpens()
    {
        await FillAsync();
        var sound = _folder.ReadFile();
        var random = new Random(7);
        for (var round = 0; round < 150; round++)
        {
            var damaged = (byte[])sound.Clone();
            for (var left = random.Next(1, 40); left > 0; left--)
            {
                damaged[random.Next(100, damaged.Length)] = (byte)random.Next(256);
            }

            _folder.WriteFile(damaged);

            await Should.NotThrowAsync(OpenAsync, $"round {round}");
        }
    }

    private async Task<StoreContents> OpenAsync()
    {
        await using var store = new SqliteStore(_folder.File, _clock);
        var contents = await store.OpenAsync(CancellationToken.None);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1_000_000)), CancellationToken.None);
        return contents;
    }

    private async Task FillAsync()
    {
        await using var store = new SqliteStore(_folder.File, _clock);
        await store.OpenAsync(CancellationToken.None);
        var marked = Sample.Measurement(1, "metric-to-find");
        var entry = Sample.Entry(1) with { Measurements = [marked] };
        var body = Encoding.ASCII.GetBytes("body to find");
        var payload = Sample.Request(99, body.Length) with { Body = body };
        await store.AppendAsync(Sample.JournalAppend(entry, [payload], Sample.Keys(1, 1, 2)), CancellationToken.None);
        for (var i = 1; i <= 20; i++)
        {
            var arrivals = Sample.JournalAppend(
                Sample.Entry(i + 1, 1, 2, 3),
                [Sample.Request(i, 3000)],
                Sample.Keys(i, i),
                [Sample.Accepted(3), new(Lane.Events, Account.Rejected, 1, $"reason {i}")]
            );
            await store.AppendAsync(arrivals, CancellationToken.None);
        }
    }

    private void Overwrite(int at, int count)
    {
        var bytes = _folder.ReadFile();
        new Random(3).NextBytes(bytes.AsSpan(at, count));
        _folder.WriteFile(bytes);
    }

    // Everywhere: a page may hold what once was in it beside what is.
    private void Flip(string text)
    {
        var sought = Encoding.ASCII.GetBytes(text);
        var bytes = _folder.ReadFile();
        var flipped = 0;
        for (var at = bytes.AsSpan().IndexOf(sought); at >= 0; at = bytes.AsSpan().IndexOf(sought), flipped++)
        {
            bytes[at + 3] ^= 1;
        }

        flipped.ShouldBeGreaterThan(0);
        _folder.WriteFile(bytes);
    }
}
