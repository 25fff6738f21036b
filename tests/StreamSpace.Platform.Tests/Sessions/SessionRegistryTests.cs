using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Sessions;

/// <summary>How a life begins and goes on, and what else is true on a platform.</summary>
public class SessionRegistryTests
{
    private readonly Telling _told = new();

    public SessionRegistryTests() => _told.Tick(0);

    [Fact]
    public void AnOrdinaryLifeIsToldStepByStep()
    {
        _told.See(Create("s", 0), Running("s", 5), Hibernated("s", 60), Running("s", 90), Delete("s", 100));

        _told.Names.ShouldBe("Created Started Hibernated Woken Ended");
        _told.Last.RunningTime(At(1000)).ShouldBe(TimeSpan.FromSeconds(70));
        _told.Last.User.Name.ShouldBe("ada");
        _told.Last.Template.ShouldBe("chrome");
        _told.Last.EndedAt.ShouldBe(At(100));
    }

    [Fact]
    public void EachFactTellsHowTheSessionStoodSinceTheOneBefore()
    {
        _told.See(
            Create("s", 0),
            Running("s", 5),
            Hibernated("s", 60),
            Running("s", 90),
            Failed("s", 95),
            Delete("s", 99)
        );

        _told
            .Facts.OfType<SessionFact>()
            .Select(fact => fact.Passed)
            .ShouldBe([
                [],
                [new(SessionState.Starting, At(0), At(5))],
                [new(SessionState.Running, At(5), At(60))],
                [new(SessionState.Hibernated, At(60), At(90))],
                [new(SessionState.Running, At(90), At(95))],
                [new(SessionState.Failed, At(95), At(99))],
            ]);
    }

    [Fact]
    public void WhatPassedBeforeACreationWasSeenIsToldFromItsBeginning()
    {
        _told.See(Running("s", 5), Create("s", 0), Delete("s", 20));

        _told.Names.ShouldBe("Found Created Started Ended");
        _told
            .Facts.OfType<SessionFact>()
            .SelectMany(fact => fact.Passed)
            .ShouldBe([new(SessionState.Starting, At(0), At(5)), new(SessionState.Running, At(5), At(20))]);
    }

    [Fact]
    public void EveryFactHasAnIdMadeOfItsLife()
    {
        _told.See(Create("s", 0), Running("s", 5), Hibernated("s", 6), Running("s", 7), Failed("s", 8), Delete("s", 9));

        const string life = "s@2026-03-02T08:00:00.0000000Z";
        _told
            .Facts.Select(e => e.Id)
            .ShouldBe([
                $"{life}/created",
                $"{life}/started",
                $"{life}/hibernated/2026-03-02T08:00:06.0000000Z",
                $"{life}/woken/2026-03-02T08:00:07.0000000Z",
                $"{life}/failed",
                $"{life}/ended",
            ]);
    }

    [Fact]
    public void TheSameMessageTwiceIsSeenOnce()
    {
        var login = new UserActed("fact", UserAct.LoggedIn, User("ada"), At(0)) { MessageId = "m" };
        _told.See(login, login with { FactId = "other" });
        _told.Facts.Count.ShouldBe(1);
    }

    [Fact]
    public void AUserFactToldByTwoMessagesIsOneFact()
    {
        var login = new UserActed("fact", UserAct.LoggedIn, User("ada"), At(0)) { MessageId = "m" };
        _told.See(login, login with { MessageId = "n" });
        _told.Facts.ShouldHaveSingleItem().Id.ShouldBe("fact");
    }

    [Fact]
    public void ARepeatedStatusIsNoNews()
    {
        _told.See(Create("s", 0), Running("s", 5), Running("s", 6), Running("s", 7));
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void AnOlderStatusDoesNotOverwriteANewerOne()
    {
        _told.See(Create("s", 0), Running("s", 5), Running("s", 60), Hibernated("s", 50));
        _told.Last.State.ShouldBe(SessionState.Running);
    }

    [Fact]
    public void AStatusStampedBeforeItsCreationByALaggingClockStillConfirms()
    {
        _told.See(Create("s", 10), Running("s", 9.5));
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void ASessionFirstKnownByItsStatusIsFoundAndNotCreated()
    {
        _told.See(Running("s", 5));
        _told.Names.ShouldBe("Found");
        _told.Last.CreatedAt.ShouldBeNull();
        _told.Last.RunningTime(At(15)).ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void ALaterCreateIntroducesAFoundSession()
    {
        _told.See(Running("s", 5), Create("s", 0), Create("s", 0));
        _told.Names.ShouldBe("Found Created Started");
        _told.Facts.Select(e => e.At).ShouldBe([At(0), At(5)]);
        _told.Last.RunningTime(At(15)).ShouldBe(TimeSpan.FromSeconds(15));
        _told.Last.Template.ShouldBe("chrome");
    }

    [Fact]
    public void AFailureSeenBeforeItsCreateIsToldOnceIntroduced()
    {
        _told.See(Failed("s", 1, "no such image"), Create("s", 0));
        _told.Names.ShouldBe("Found Created Failed");
        _told.Facts.OfType<SessionFailed>().Single().Reason.ShouldBe("no such image");
        _told.Last.RunningTime(At(100)).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void AFailureIsToldOncePerLife()
    {
        _told.See(Create("s", 0), Failed("s", 1), Failed("s", 2), Running("s", 3), Failed("s", 4));
        _told.Names.ShouldBe("Created Failed Started Changed");
    }

    [Fact]
    public void ASessionFoundRunningThatThenFailsHasFailed()
    {
        _told.See(Running("s", 0), Failed("s", 9), Create("s", -5));
        _told.Names.ShouldBe("Found Failed Created Started");
    }

    [Fact]
    public void ARequestThatNothingConfirmsLapses()
    {
        _told.See(Create("s", 0)).Tick(599.9);
        _told.Last.Active.ShouldBeTrue();

        _told.Tick(600);
        _told.Names.ShouldBe("Created Changed");
        _told.Last.State.ShouldBe(SessionState.Lapsed);
        _told.Last.AwakeSince.ShouldBeNull();
    }

    [Fact]
    public void AConfirmedRequestNeverLapses()
    {
        _told.See(Create("s", 0), Running("s", 5)).Tick(601);
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void ASessionOfWhichNothingIsSaidForAMonthLapsesAndOneThatIsSpokenOfDoesNot()
    {
        const int day = 86_400;
        _told.See(Create("silent", 0), Running("silent", 5), Create("spoken", 0), Running("spoken", 5));
        for (var at = 0; at <= 29 * day; at += day)
        {
            _told.Tick(at).See(Running("spoken", at + 6));
        }
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Running] = 2 });
        _told.Tick(31 * day);
        _told.Registry.Counts.ShouldBe(
            new Dictionary<SessionState, int> { [SessionState.Running] = 1, [SessionState.Lapsed] = 1 }
        );
        _told.Last.Id.ShouldBe("silent");
        _told.Tick(40 * day).Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Running] = 1 });
    }

    [Fact]
    public void ALaterStatusRevivesALapsedRequest()
    {
        _told.See(Create("s", 0)).Tick(600).See(Running("s", 700));
        _told.Names.ShouldBe("Created Changed Started");
        _told.Last.RunningTime(At(800)).ShouldBe(TimeSpan.FromSeconds(800));
    }

    [Fact]
    public void ARequestOfAnUnknownSessionNamesItsUser()
    {
        _told.See(Hibernate("s", 0, "bo"), Hibernated("s", 1), Wake("t", 2, "cy"), Running("t", 3));
        _told.Names.ShouldBe("Found Hibernated Found Changed");
        _told.Last.User.Name.ShouldBe("cy");
    }

    [Fact]
    public void ARequestAloneChangesNoState()
    {
        _told.See(Create("s", 0), Running("s", 1), Hibernate("s", 2), Wake("s", 3));
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void WhatIsLearntOfASessionIsToldAsAChange()
    {
        _told.See(Running("s", 0), Hibernate("s", 1, "bo"));
        _told.Names.ShouldBe("Found Changed");
        _told.Last.User.ShouldBe(User("bo"));
    }

    [Fact]
    public void UsageIsToldOfAwakeSessionsOnly()
    {
        var usage = new UsageMeasured("s", At(9), 12.5, 1e9, null);
        _told.See(usage, Create("s", 0), Running("s", 1), usage, Hibernated("s", 10), usage);
        _told.Names.ShouldBe("Created Started Measured Hibernated");
        _told.Usages.ShouldHaveSingleItem().CpuPercent.ShouldBe(12.5);
    }

    [Fact]
    public void TheCountOfUsersIsNewsWhenItChanges()
    {
        _told.See(
            new UsersTotalled(5, At(0)),
            new UsersTotalled(5, At(1)),
            new UsersTotalled(6, At(3)),
            new UsersTotalled(4, At(2))
        );
        _told.Users.ShouldBe([5, 6]);
    }

    [Fact]
    public void TheSnapshotIsWhatIsOpen()
    {
        _told.See(
            Create("gone", 0),
            Delete("gone", 1),
            Create("asked", 2),
            Create("asleep", 3),
            Hibernated("asleep", 4),
            new UsersTotalled(7, At(5))
        );
        var snapshot = _told.Registry.Snapshot;
        snapshot.IsSnapshot.ShouldBeTrue();
        snapshot.Sessions.Select(s => s.Id).ShouldBe(["asked", "asleep"], ignoreOrder: true);
        snapshot.Users.ShouldBe(7);
        _told.Registry.Counts.ShouldBe(
            new Dictionary<SessionState, int> { [SessionState.Starting] = 1, [SessionState.Hibernated] = 1 },
            ignoreOrder: true
        );
    }
}
