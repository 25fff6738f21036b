using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Store;

public sealed class PlatformStoreTests
{
    private readonly string _folder = TestRun.NewFolder();

    private string File => Path.Combine(_folder, "host.db");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatWasCommittedIsThereAfterARestart(bool onDisk)
    {
        IPlatformStore store = onDisk
            ? new SqlitePlatformStore(new HostFile(File, TimeProvider.System))
            : new MemoryPlatformStore();
        var told = new Telling().Tick(0);
        told.See(
            Create("open", 0.1234567),
            Running("open", 5),
            Failed("open", 6, "why"),
            Create("ended", 1),
            Delete("ended", 2),
            Delete("held", 3),
            Running("found", 4) with
            {
                Template = "gimp",
            },
            new UsersTotalled(12, At(9)),
            new UsersNamed([new PlatformUser("7d1f", "ada lovelace")], At(9))
        );
        store.Commit(
            Change(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "41", ["other"] = "x" })
        );
        told.Registry.MarkDurable();
        told.See(Running("open", 7));
        told.See(new UsersNamed([new PlatformUser("7d1f", "ada")], At(10)));
        store.Commit(Change(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "42" }));
        if (onDisk)
        {
            store.Dispose();
            store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        }

        var kept = store.Load();

        kept.Checkpoints.ShouldBe(
            new Dictionary<string, string> { ["nats"] = "42", ["other"] = "x" },
            ignoreOrder: true
        );
        var again = new Telling(kept);
        again.Registry.Snapshot.Sessions.ShouldBe(told.Registry.Snapshot.Sessions, ignoreOrder: true);
        again.Registry.Snapshot.Users.ShouldBe(12);
        again.Registry.Counts.ShouldBe(told.Registry.Counts, ignoreOrder: true);
        again.Tick(20).See(Running("ended", 30), Delete("open", 40), Create("held", 1));
        again.Names.ShouldBe("Ended Ended Created");
        again.Facts[0].Id.ShouldBe("held@2026-03-02T08:00:03.0000000Z/ended");
        // Before the source that knows users is back.
        again.See(Create("later", 50, user: "7d1f"));
        again.Last.User.ShouldBe(new PlatformUser("7d1f", "ada"));
        store.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FactsAreReadInTheirOrderWithAllThatIsInThemAndNoneIsThereTwice(bool onDisk)
    {
        IPlatformStore store = onDisk
            ? new SqlitePlatformStore(new HostFile(File, TimeProvider.System))
            : new MemoryPlatformStore();
        var facts = EveryFact();
        facts.Select(f => f.GetType()).Distinct().Count().ShouldBe(12);
        var id = store.Load().LogId;
        var added = facts.SelectMany(fact => store.Commit(Change(facts: [fact, facts[0]]))).ToList();
        if (onDisk)
        {
            store.Dispose();
            store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        }
        var expected = Texts(facts.Select((fact, i) => fact with { Sequence = i + 1 }));
        Texts(added).ShouldBe(expected);
        var all = store.Read(0, 100);
        Texts(all.Facts).ShouldBe(expected);
        (all.LogId, all.Last, all.Missing).ShouldBe((id, expected.Length, 0));
        Texts(store.Read(3, 2).Facts).ShouldBe(expected[3..5]);
        store
            .Read(expected.Length, 2)
            .ShouldSatisfyAllConditions(p => p.Facts.ShouldBeEmpty(), p => p.Missing.ShouldBe(0));
        store.Load().LastSequence.ShouldBe(expected.Length);
        store.Dispose();

        // With the lists in them, which are not compared by what they hold.
        string[] Texts(IEnumerable<PlatformFact> of) => [.. of.Select(f => $"{f.Sequence} {FactText.Write(f)}")];
    }

    [Fact]
    public void CursorsAreKeptUntilTheyAreTakenAway()
    {
        using (IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System)))
        {
            store.Commit(Change(cursors: new Dictionary<string, long?> { ["one"] = 3, ["two"] = 0 }));
            store.Commit(Change(cursors: new Dictionary<string, long?> { ["one"] = 4, ["two"] = null }));
        }
        using IPlatformStore next = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        next.Load().Cursors.ShouldBe(new Dictionary<string, long> { ["one"] = 4 });
    }

    [Fact]
    public void WhatIsOlderThanTwoDaysIsLetGoOfAndWhoeverLackedItLearnsHowMuch()
    {
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        var facts = EveryFact();
        store.Commit(Change(facts: [.. facts[..4]]));
        var justBefore = SqliteFactTable.KeptFor.TotalSeconds;
        store.Commit(Change(at: justBefore, facts: [facts[4]]));
        store.Read(0, 100).Facts.Count.ShouldBe(5);
        store.Commit(Change(at: justBefore + 1, facts: [facts[5]]));

        var page = store.Read(1, 100);
        page.Facts.Select(f => f.Id).ShouldBe([facts[4].Id, facts[5].Id]);
        (page.Last, page.Missing).ShouldBe((6, 3));
        store.Commit(Change(at: 10 * justBefore));
        page = store.Read(4, 100);
        page.Facts.ShouldBeEmpty();
        (page.Last, page.Missing).ShouldBe((6, 2));
        // Sequences go on, though nothing is left.
        store.Commit(Change(at: 10 * justBefore, facts: [facts[0]]))[0].Sequence.ShouldBe(7);
    }

    [Fact]
    public void EachRunIsALogOfItsOwnAndItsFactsStayInItOverRestarts()
    {
        var facts = EveryFact();
        var first = Run([.. facts[..2]]);
        var second = Run([]);
        var third = Run([facts[2], facts[3]]);

        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        new[] { first, second, third, store.Load().LogId }.ShouldBeUnique();
        Read(0).ShouldBe((first, "1 2", 2));
        Read(1).ShouldBe((first, "2", 2));
        Read(2).ShouldBe((third, "3 4", 4));
        store.Commit(Change(facts: [facts[4]]));
        Read(4).ShouldBe((store.Load().LogId, "5", 5));

        (string, string, long) Read(long after)
        {
            var page = store.Read(after, 100);
            page.Missing.ShouldBe(0);
            return (page.LogId, string.Join(' ', page.Facts.Select(f => f.Sequence)), page.Last);
        }
    }

    [Fact]
    public void AnOlderCopyThatIsPutBackGivesNoSequenceOfALogAgain()
    {
        var facts = EveryFact();
        Run([.. facts[..2]]);
        var copy = System.IO.File.ReadAllBytes(File);
        var lost = Run([facts[2]]);
        System.IO.File.WriteAllBytes(File, copy);
        var next = Run([facts[3]]);

        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        var page = store.Read(2, 100);
        (page.LogId, page.Facts.Single().Sequence).ShouldBe((next, 3));
        next.ShouldNotBe(lost);
    }

    [Fact]
    public void ALogInMemoryHasAnIdThatNoOtherProcessGives()
    {
        using IPlatformStore store = new MemoryPlatformStore();
        Guid.TryParseExact(store.Load().LogId, "N", out _).ShouldBeTrue();
    }

    [Fact]
    public void AFileOfTheFirstVersionGoesOnUnderItsLogsId()
    {
        Run([EveryFact()[0]]);
        Execute(
            """
            DROP TABLE platform_log;
            CREATE TABLE platform_log (id TEXT NOT NULL);
            INSERT INTO platform_log VALUES ('old');
            UPDATE platform_schema SET version = 1;
            """
        );
        var next = Run([EveryFact()[1]]);

        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        (store.Read(0, 100).LogId, store.Read(1, 100).LogId).ShouldBe(("old", next));
    }

    [Fact]
    public void AStepThatDoesNotFitLeavesTheFileAsItWas()
    {
        Run([EveryFact()[0]]);
        // As after a step that another program had begun: the log has its column, and the cursors are missing.
        Execute("DROP TABLE platform_cursors; UPDATE platform_schema SET version = 1");

        Should.Throw<SqliteException>(() => new SqlitePlatformStore(new HostFile(File, TimeProvider.System)));

        Should
            .Throw<SqliteException>(() => Execute("SELECT * FROM platform_cursors"))
            .Message.ShouldContain("no such table");
        Execute("ALTER TABLE platform_log DROP COLUMN first");
        Run([EveryFact()[1]]);
    }

    // One process's time with the file: adds these facts, and returns the id of its log.
    private string Run(PlatformFact[] facts)
    {
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        store.Commit(Change(facts: facts));
        return store.Load().LogId;
    }

    [Fact]
    public void ACommitIsOnDiskWhenItReturnsNotOnItsWayThere()
    {
        using var store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        store.Setting("journal_mode").ShouldBe("wal");
        store.Setting("synchronous").ShouldBe("2", "FULL: the log is synchronised at every commit");
    }

    [Fact]
    public void WhatIsForgottenLeavesTheFile()
    {
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        var told = new Telling().Tick(0).See(Create("s", 0), Delete("s", 1));
        store.Commit(Change(told.Registry.Changes));
        told.Registry.MarkDurable();
        store.Load().Lives.Count.ShouldBe(1);

        told.Tick(SessionExpiry.ClosedRetention.TotalSeconds);
        store.Commit(Change(told.Registry.Changes));
        store.Load().Lives.ShouldBeEmpty();
    }

    [Fact]
    public void OnlyTheOwnerCanReadTheFile()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        System.IO.File.WriteAllBytes(File, []);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        store.Commit(Change(checkpoints: new Dictionary<string, string> { ["nats"] = "1" }));
        foreach (var file in Directory.GetFiles(_folder))
        {
            System.IO.File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }
    }

    [Fact]
    public void AFileOfANewerVersionIsRefusedWithASentence()
    {
        new SqlitePlatformStore(new HostFile(File, TimeProvider.System)).Dispose();
        Execute("UPDATE platform_schema SET version = 3");
        Should
            .Throw<NotSupportedException>(() => new SqlitePlatformStore(new HostFile(File, TimeProvider.System)))
            .Message.ShouldContain("newer version");
    }

    [Fact]
    public void OthersMayUseTheSameFile()
    {
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
        store.Commit(Change(checkpoints: new Dictionary<string, string> { ["nats"] = "1" }));
        Execute("INSERT INTO theirs VALUES (2)");
        store.Load().Checkpoints["nats"].ShouldBe("1");
    }

    [Fact]
    public void ARecordThatTheDiskHasSpoiltCostsItselfAlone()
    {
        using var sqlite = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        IPlatformStore store = sqlite;
        var told = new Telling().Tick(0).See(Create("whole", 0), Create("spoilt", 0));
        var checkpoints = new Dictionary<string, string> { ["nats"] = "1" };
        store.Commit(Change(told.Registry.Changes, checkpoints, facts: [.. told.Facts]));
        Execute("UPDATE platform_registry SET value = 'x' || value WHERE name = 'spoilt'");
        Execute("UPDATE platform_facts SET fact = 'x' || fact WHERE sequence = 1");

        using IPlatformStore next = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        var kept = next.Load();
        kept.Lives.ShouldHaveSingleItem().Session.Id.ShouldBe("whole");
        kept.Checkpoints["nats"].ShouldBe("1");
        kept.Damaged.ShouldBe(["life spoilt"]);
        var page = next.Read(0, 100);
        page.Facts.Select(f => f.Id).ShouldBe([told.Facts[1].Id]);
        (page.Last, page.Missing).ShouldBe((2, 1));
    }

    [Fact]
    public void AFailedCommitKeepsNothingOfIt()
    {
        using IPlatformStore store = new SqlitePlatformStore(new HostFile(File, TimeProvider.System));
        var told = new Telling().Tick(0).See(Create("s", 0));
        Execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON platform_registry WHEN NEW.kind = 'checkpoint' "
                + "BEGIN SELECT RAISE(ABORT, 'no'); END"
        );
        Should.Throw<SqliteException>(() =>
            store.Commit(Change(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "1" }))
        );
        Execute("DROP TRIGGER refuse");
        store.Load().Lives.ShouldBeEmpty();

        store.Commit(Change(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "1" }));
        store.Load().Lives.Count.ShouldBe(1);
    }

    private static List<PlatformFact> EveryFact()
    {
        var told = new Telling().Tick(0);
        told.See(
            Create("s", 0),
            Running("s", 1),
            Hibernated("s", 2),
            Running("s", 3),
            Failed("s", 4, "why"),
            Delete("s", 5)
        );
        told.See([
            .. Enum.GetValues<UserAct>()
                .Select(act => new UserActed($"{act}", act, new PlatformUser("7d1f", "ada"), At(6))),
        ]);
        told.See(new ApiConnectionSeen(ConnectedSince: null, At(7)), new ApiConnectionSeen(At(8), At(8)));
        return told.Facts;
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
