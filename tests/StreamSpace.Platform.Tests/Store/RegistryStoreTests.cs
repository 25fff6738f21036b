using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests;

public sealed class RegistryStoreTests
{
    private readonly string _folder = TestRun.NewFolder();

    private string File => Path.Combine(_folder, "host.db");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatWasCommittedIsThereAfterARestart(bool onDisk)
    {
        IRegistryStore store = onDisk
            ? new SqliteRegistryStore(new HostFile(File, TimeProvider.System))
            : new MemoryRegistryStore();
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
            told.Registry.Changes,
            new Dictionary<string, string> { ["nats"] = "41", ["other"] = "x" },
            OwedChange.None
        );
        told.Registry.Kept();
        told.See(Running("open", 7));
        told.See(new UsersNamed([new PlatformUser("7d1f", "ada")], At(10)));
        store.Commit(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "42" }, OwedChange.None);
        if (onDisk)
        {
            store.Dispose();
            store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        }

        var kept = store.Load();

        kept.Checkpoints.ShouldBe(
            new Dictionary<string, string> { ["nats"] = "42", ["other"] = "x" },
            ignoreOrder: true
        );
        var again = new Telling(kept);
        again.Registry.Baseline.ShouldBe(told.Registry.Baseline, ignoreOrder: true);
        again.Registry.Counts.ShouldBe(told.Registry.Counts, ignoreOrder: true);
        again.Tick(20).See(Running("ended", 30), Delete("open", 40), Create("held", 1));
        again.Names.ShouldBe("Ended Ended Created");
        again.Events[0].Id.ShouldBe("held@2026-03-02T08:00:03.0000000Z/ended");
        // Before the source that knows users is back.
        again.See(Create("later", 50, user: "7d1f"));
        again.Last.User.ShouldBe(new PlatformUser("7d1f", "ada"));
        store.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatIsOwedComesBackInItsOrderWithAllThatIsInItUntilItIsPaid(bool onDisk)
    {
        IRegistryStore store = onDisk
            ? new SqliteRegistryStore(new HostFile(File, TimeProvider.System))
            : new MemoryRegistryStore();
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
        var facts = told.Events.Where(e => e.Id is not null).ToList();
        facts.Select(f => f.GetType()).Distinct().Count().ShouldBe(10);
        foreach (var fact in facts)
        {
            store.Commit(
                new RegistryChange([], [], null),
                new Dictionary<string, string>(),
                new OwedChange(false, [fact])
            );
        }
        if (onDisk)
        {
            store.Dispose();
            store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        }
        store.Load().Owed.ShouldBe(facts);

        store.Commit(
            new RegistryChange([], [], null),
            new Dictionary<string, string>(),
            new OwedChange(true, [facts[3]])
        );
        store.Load().Owed.ShouldBe([facts[3]]);
        store.Dispose();
    }

    [Fact]
    public void ACommitIsOnDiskWhenItReturnsNotOnItsWayThere()
    {
        using var store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        store.Setting("journal_mode").ShouldBe("wal");
        store.Setting("synchronous").ShouldBe("2", "FULL: the log is synchronised at every commit");
    }

    [Fact]
    public void WhatIsForgottenLeavesTheFile()
    {
        using IRegistryStore store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        var told = new Telling().Tick(0).See(Create("s", 0), Delete("s", 1));
        store.Commit(told.Registry.Changes, new Dictionary<string, string>(), OwedChange.None);
        told.Registry.Kept();
        store.Load().Lives.Count.ShouldBe(1);

        told.Tick(Registry.RememberFor.TotalSeconds);
        store.Commit(told.Registry.Changes, new Dictionary<string, string>(), OwedChange.None);
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
        using IRegistryStore store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        store.Commit(
            new RegistryChange([], [], null),
            new Dictionary<string, string> { ["nats"] = "1" },
            OwedChange.None
        );
        foreach (var file in Directory.GetFiles(_folder))
        {
            System.IO.File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }
    }

    [Fact]
    public void AFileOfANewerVersionIsRefusedWithASentence()
    {
        new SqliteRegistryStore(new HostFile(File, TimeProvider.System)).Dispose();
        Execute("UPDATE platform_schema SET version = 2");
        Should
            .Throw<InvalidOperationException>(() => new SqliteRegistryStore(new HostFile(File, TimeProvider.System)))
            .Message.ShouldContain("newer version");
    }

    [Fact]
    public void OthersMayUseTheSameFile()
    {
        using IRegistryStore store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
        store.Commit(
            new RegistryChange([], [], null),
            new Dictionary<string, string> { ["nats"] = "1" },
            OwedChange.None
        );
        Execute("INSERT INTO theirs VALUES (2)");
        store.Load().Checkpoints["nats"].ShouldBe("1");
    }

    [Fact]
    public void ARecordThatTheDiskHasSpoiltCostsItselfAlone()
    {
        using var sqlite = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        IRegistryStore store = sqlite;
        var told = new Telling().Tick(0).See(Create("whole", 0), Create("spoilt", 0));
        var facts = told.Events.Where(e => e.Id is not null).ToList();
        var checkpoints = new Dictionary<string, string> { ["nats"] = "1" };
        store.Commit(told.Registry.Changes, checkpoints, new OwedChange(false, facts));
        Execute("UPDATE platform_registry SET value = 'x' || value WHERE name IN ('spoilt', '0000000000')");

        using IRegistryStore next = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        var kept = next.Load();
        kept.Lives.ShouldHaveSingleItem().Session.Id.ShouldBe("whole");
        kept.Checkpoints["nats"].ShouldBe("1");
        kept.Owed.ShouldBe(facts[1..]);
        kept.Damaged.ShouldBe(["life spoilt", "owed 0000000000"], ignoreOrder: true);

        // What is owed next takes the place of none that still is.
        next.Commit(new RegistryChange([], [], null), checkpoints, new OwedChange(false, [facts[0]]));
        next.Load().Owed.ShouldBe([facts[1], facts[0]]);
    }

    [Fact]
    public void AFailedCommitKeepsNothingOfIt()
    {
        using IRegistryStore store = new SqliteRegistryStore(new HostFile(File, TimeProvider.System));
        var told = new Telling().Tick(0).See(Create("s", 0));
        Execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON platform_registry WHEN NEW.kind = 'checkpoint' "
                + "BEGIN SELECT RAISE(ABORT, 'no'); END"
        );
        Should.Throw<SqliteException>(() =>
            store.Commit(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "1" }, OwedChange.None)
        );
        Execute("DROP TRIGGER refuse");
        store.Load().Lives.ShouldBeEmpty();

        store.Commit(told.Registry.Changes, new Dictionary<string, string> { ["nats"] = "1" }, OwedChange.None);
        store.Load().Lives.Count.ShouldBe(1);
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
