using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>What was seen of a session outranks what was said of it.</summary>
public class FirstHandTests
{
    private readonly Telling _told = new();

    public FirstHandTests() => _told.Tick(0);

    [Theory]
    [InlineData(0.734)]
    [InlineData(1.2)]
    public void ACreationThatIsSaidAndSeenIsOne(double said)
    {
        _told.See(Create("a", said), Seen("a", 2, ReportedStatus.Pending, created: 1));
        _told.See(Seen("b", 2, ReportedStatus.Pending, created: 1), Create("b", said));
        _told.Facts.OfType<SessionCreated>().Select(e => e.Session.Id).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void AStatusThatIsSaidBeforeTheCreationIsSeenDoesNotHideIt()
    {
        _told.See(Running("a", 2), Seen("a", 3, ReportedStatus.Running, created: 1));
        _told.Names.ShouldBe("Found Created Started");
    }

    [Fact]
    public void ASessionThatIsSeenDoesNotLapse()
    {
        _told.See(Create("a", 0), Seen("a", 1, ReportedStatus.Pending, created: 0)).Tick(3600);
        _told.Last.State.ShouldBe(SessionState.Starting);
    }

    [Fact]
    public void ARequestIsNotYetASessionWhereSessionsAreWatched()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0), Running("a", 1));
        (_told.Last.State, _told.Last.Active, _told.Last.AwakeSince).ShouldBe((SessionState.Requested, false, null));

        _told.Tick(2).See(Seen("a", 2, ReportedStatus.Pending, created: 0));
        (_told.Last.State, _told.Last.Active).ShouldBe((SessionState.Starting, true));
        _told.Last.RunningTime(At(100)).ShouldBe(TimeSpan.FromSeconds(100));
        _told.Names.ShouldBe("Created Changed");
    }

    [Fact]
    public void RequestsOfWhichNothingIsMadeFailAfterAMinuteAndNeverRan()
    {
        _told.See(new SessionsWatched(At(0)));
        _told.See(Create("a", 0), Create("b", 0), Create("c", 0), Create("d", 0));
        Watched(from: 10, to: 50);
        _told.Tick(59.9);
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Requested] = 4 });

        _told.Tick(60);
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Failed] = 4 });
        var failed = _told.Facts.OfType<SessionFailed>().ToList();
        failed.Select(f => f.Cause).ShouldBe(Enumerable.Repeat(FailureCause.Timeout, 4));
        failed.ShouldAllBe(f => f.Session.RunningTime(At(3600)) == TimeSpan.Zero);
        _told.Sessions.ShouldAllBe(s => !s.Active);
    }

    [Fact]
    public void ARequestThatShowsAfterItHasFailedIsActiveAllTheSame()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0));
        Watched(from: 10, to: 60);
        _told.Tick(90).See(Seen("a", 90, ReportedStatus.Running, created: 89));
        _told.Names.ShouldBe("Created Failed Started");
        _told.Last.Active.ShouldBeTrue();
    }

    [Fact]
    public void WhileTheClusterIsAwayARequestWaitsForItToBeSeenAgain()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0)).Tick(100);
        _told.Last.State.ShouldBe(SessionState.Requested);
        Watched(from: 110, to: 180);
        _told.Last.State.ShouldBe(SessionState.Failed);
    }

    [Fact]
    public void ARequestForWhichTheClusterStaysAwayLapsesAfterTenMinutes()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0));
        for (var second = 60; second <= 660; second += 60)
        {
            _told.Tick(second);
        }
        _told.Last.State.ShouldBe(SessionState.Lapsed);
        _told.Names.ShouldBe("Created Changed");
    }

    [Fact]
    public void WhereSessionsAreNotWatchedNowARequestIsASessionAtOnce()
    {
        _told.See(new SessionsWatched(At(0))).Tick(40).See(Create("a", 40));
        (_told.Last.State, _told.Last.Active).ShouldBe((SessionState.Starting, true));
    }

    [Fact]
    public void ARequestThatWasHeardBeforeTheClusterWasListedMustShow()
    {
        _told.See(Create("fresh", 0)).Tick(5).See(new SessionsListed(new HashSet<string>(), At(5)));
        _told.Last.State.ShouldBe(SessionState.Requested);
        Watched(from: 10, to: 70);
        _told.Last.State.ShouldBe(SessionState.Failed);
    }

    [Fact]
    public void ARequestEndsWithoutARunningTime()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0), Delete("a", 20));
        _told.Names.ShouldBe("Created Ended");
        _told.Last.RunningTime(At(60)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void ALapsedRequestThatIsSeenAfterAllWasAwakeAllTheTime()
    {
        _told.See(Create("a", 0)).Tick(601);
        _told.Last.State.ShouldBe(SessionState.Lapsed);
        _told.See(Seen("a", 700, ReportedStatus.Running, created: 0));
        _told.Last.RunningTime(At(800)).ShouldBe(TimeSpan.FromSeconds(800));
    }

    [Fact]
    public void WhatIsNotListedHasEndedAndWhatOnlyMessagesToldOfGoesOn()
    {
        _told.See(Seen("gone", 1, ReportedStatus.Running), Seen("here", 1, ReportedStatus.Running), Create("said", 1));
        _told.See(new SessionsListed(new HashSet<string> { "uid-here" }, At(50)));
        _told.Facts.OfType<SessionEnded>().ShouldHaveSingleItem().Session.Id.ShouldBe("gone");
        _told.Registry.Counts[SessionState.Requested].ShouldBe(1);
    }

    [Fact]
    public void WhatIsOnlySaidLapsesWhenTheClusterDoesNotShowIt()
    {
        _told.See(new SessionsListed(new HashSet<string>(), At(0)));
        _told.See(Create("gone", 1), Running("gone", 2), Failed("broken", 2));
        Watched(from: 10, to: 590);
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Failed] = 2 });
        Watched(from: 600, to: 660);
        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Lapsed] = 2 });
        _told.Facts.OfType<SessionEnded>().ShouldBeEmpty();
    }

    [Fact]
    public void WhatWasSaidBeforeTheClusterWasListedLapsesToo()
    {
        _told.See(Running("gone", 2), Running("here", 2), Hibernated("gone too", 3));
        _told.Tick(30).See(Seen("here", 1, ReportedStatus.Running));
        _told.See(new SessionsListed(new HashSet<string> { "uid-here" }, At(30)));
        _told.Tick(300).See(new SessionsWatched(At(300))).Tick(631);
        _told.Registry.Counts.ShouldBe(
            new Dictionary<SessionState, int> { [SessionState.Running] = 1, [SessionState.Lapsed] = 2 }
        );
    }

    [Fact]
    public void WhileTheClusterIsAwayWhatIsSaidGoesOnAndIsSeenAfterwards()
    {
        _told.See(new SessionsListed(new HashSet<string>(), At(0)), new SessionsWatched(At(0)));
        _told.Tick(60).See(Create("a", 60), Running("a", 61));
        for (var second = 600; second <= 36_000; second += 600)
        {
            _told.Tick(second);
        }
        _told.Last.State.ShouldBe(SessionState.Starting);
        _told.See(Seen("a", 36_001, ReportedStatus.Running, created: 60));
        for (var second = 36_300; second <= 72_000; second += 300)
        {
            _told.See(new SessionsWatched(At(second))).Tick(second);
        }
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void ASessionOfAnotherPlatformIsNotExpectedInTheCluster()
    {
        _told.See(new SessionsListed(new HashSet<string>(), At(0)));
        _told.See(Create("d", 1) with { Platform = "docker" }, Running("d", 2));
        _told.Tick(300).See(new SessionsWatched(At(300))).Tick(3600);
        _told.Last.State.ShouldBe(SessionState.Running);
    }

    [Fact]
    public void ARequestToEndAndAStatusThatIsSaidChangeNothingThatIsSeen()
    {
        _told.See(
            Seen("a", 1, ReportedStatus.Running),
            new DeleteRequested("a", At(5)),
            Hibernated("a", 6),
            Ended("a", 7)
        );
        _told.Names.ShouldBe("Created Started");
        _told.Last.State.ShouldBe(SessionState.Running);
    }

    [Fact]
    public void RunningThatIsSaidIsNotYetReadyWhereReadinessIsSeen()
    {
        _told.See(Seen("other", 1, ReportedStatus.Running), Create("a", 1), Running("a", 2));
        _told.Last.State.ShouldBe(SessionState.Requested);
        _told.Tick(3600);
        _told.Last.State.ShouldBe(
            SessionState.Requested,
            "the cluster is away, and it was spoken of: it does not lapse"
        );
    }

    [Fact]
    public void WhatWasToldOfTheClusterIsNotToldAgain()
    {
        var view = new ClusterView(TimeProvider.System);
        var session = new SessionSnapshot(
            "u",
            "a",
            new Owner("n", "ada", "chrome"),
            At(0),
            null,
            "running",
            null,
            null
        );
        var seen = new List<Observation>();
        view.See(session, lookedBefore: true, seen);
        view.See(session with { Phase = "Pending" }, lookedBefore: true, seen);
        seen.Count.ShouldBe(1);
    }

    [Fact]
    public void WithNobodyLookingAnyMoreMessagesDecideAgain()
    {
        _told.See(Seen("a", 1, ReportedStatus.Running));
        var lives = _told.Registry.Changes.Lives;
        var later = new Telling(PlatformSnapshot.Empty with { Lives = [.. lives] });
        later.See(Delete("a", 60));
        later.Names.ShouldBe("Ended");
    }

    [Fact]
    public void AnEndOfAFormerLifeEndsNothing()
    {
        _told.See(Seen("a", 1, ReportedStatus.Running), Seen("a", 9, ReportedStatus.Running, created: 8, uid: "two"));
        _told.See(Seen("a", 10, ReportedStatus.Ended));
        _told.Names.ShouldBe("Created Started Ended Created Started");
        _told.Last.State.ShouldBe(SessionState.Running);
    }

    [Fact]
    public void TwoLivesOfOneSecondHaveTwoIds()
    {
        _told.See(Seen("a", 1, ReportedStatus.Running), Seen("a", 1, ReportedStatus.Ended));
        _told.See(Seen("a", 1, ReportedStatus.Running, uid: "two"));
        _told.Facts.Select(e => e.Id).OfType<string>().ShouldBeUnique();
        _told.Facts.OfType<SessionCreated>().Count().ShouldBe(2);
    }

    [Fact]
    public void AnEndIsNeverBeforeTheBeginning()
    {
        _told.See(Seen("a", 5, ReportedStatus.Running, created: 5), Seen("a", 1, ReportedStatus.Ended, created: 5));
        _told.Last.EndedAt.ShouldBe(At(5));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AStatusOfASessionThatCameAndWentUnseenMakesNone(bool readBeforeTheList)
    {
        var listed = new SessionsListed(new HashSet<string>(), At(50));
        var messages = (Observation[])[Running("a", 2), Hibernated("a", 3), Wake("a", 4), Running("a", 5)];
        _told.See(readBeforeTheList ? [.. messages, listed, Running("a", 6)] : [listed, .. messages]);
        _told.Registry.Counts.Keys.ShouldBeSubsetOf([SessionState.Lapsed]);
        _told.Names.Split(' ').ShouldBeSubsetOf(["", "Found", "Changed", "Hibernated", "Woken"]);

        _told.See(Seen("a", 60, ReportedStatus.Running));
        _told.Last.State.ShouldBe(SessionState.Running, "it was only slow to be seen");
    }

    [Fact]
    public void ACreationThatIsSaidLateByAClockAheadBeginsNoOtherLife()
    {
        _told.See(Seen("a", 2, ReportedStatus.Running, created: 1), Seen("a", 5, ReportedStatus.Ended));
        _told.See(Create("a", 60));
        _told.Names.ShouldBe("Created Started Ended");

        _told.See(Seen("a", 9, ReportedStatus.Running, created: 8, uid: "two"));
        _told.Names.ShouldBe("Created Started Ended Created Started");
    }

    [Fact]
    public void AFailureBeforeThereIsASessionIsHeard()
    {
        _told.See(new SessionsListed(new HashSet<string>(), At(0)), Failed("a", 1, "quota"));
        _told.Registry.Counts[SessionState.Failed].ShouldBe(1);
    }

    [Fact]
    public void ARequestThatFailsBeforeItShowsHasFailedForTenMinutes()
    {
        _told.See(new SessionsWatched(At(0)), Create("a", 0)).Tick(5).See(Failed("a", 5, "quota"));
        Watched(from: 10, to: 600);
        _told.Last.State.ShouldBe(SessionState.Failed);
        Watched(from: 610, to: 610);
        _told.Last.State.ShouldBe(SessionState.Lapsed);
    }

    [Fact]
    public void DockersSessionsKeepTheirMessages()
    {
        _told.See(Seen("k", 1, ReportedStatus.Running));
        _told.See(Create("d", 1) with { Platform = "docker" }, Running("d", 2), Delete("d", 3));
        _told
            .Facts.OfType<SessionFact>()
            .Where(e => e.Session.Id == "d")
            .Select(e => e.GetType())
            .ShouldBe([typeof(SessionCreated), typeof(SessionStarted), typeof(SessionEnded)]);
    }

    private static StatusReported Seen(
        string id,
        double at,
        ReportedStatus status,
        double created = 1,
        string? uid = null
    ) =>
        new(id, At(at), status)
        {
            User = new PlatformUser(null, "ada"),
            Template = "chrome",
            Platform = "kubernetes",
            Uid = uid ?? $"uid-{id}",
            CreatedAt = At(created),
            LookedBefore = true,
        };

    private void Watched(double from, double to)
    {
        for (var second = from; second <= to; second += 10)
        {
            _told.Tick(second).See(new SessionsWatched(At(second)));
        }
    }
}
