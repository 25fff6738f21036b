using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Sessions;

/// <summary>Whom to believe about a session of StreamSpace 2: the table of docs/attach.md, rule by rule.</summary>
public sealed class TrustOrderTests
{
    private Telling _told = new();

    public TrustOrderTests() => _told.Tick(0);

    [Fact]
    public void APodThatIsReadyAndARowThatRunsAreOneStart()
    {
        _told.See(Row("a", 0, ReportedStatus.Requested), Deployment("a", 1, ReportedStatus.Requested));
        _told.See(Deployment("a", 4, ReportedStatus.Running), Row("a", 5, ReportedStatus.Running));
        _told.Names.ShouldBe("Created Started");
        _told.Last.StartedAt.ShouldBe(At(4));
    }

    [Fact]
    public void ARequestToEndIsTheEndHoweverLongTheDeploymentStays()
    {
        Run("a");
        _told.See(Row("a", 60, ReportedStatus.Ended), Deployment("a", 61, ReportedStatus.Requested));
        _told.See(Deployment("a", 70, ReportedStatus.Running), Deployment("a", 80, ReportedStatus.Ended));
        _told.Names.ShouldBe("Created Started Ended");
        _told.Last.EndedAt.ShouldBe(At(60));
    }

    [Fact]
    public void ADeploymentThatIsGoneIsTheEndWhateverTheRowSays()
    {
        Run("a");
        _told.See(Deployment("a", 60, ReportedStatus.Ended), Row("a", 70, ReportedStatus.Running));
        _told.Names.ShouldBe("Created Started Ended");
    }

    [Fact]
    public void ItSleepsWhenItWasAskedToOrHasNoReplicas()
    {
        Run("asked");
        _told.See(Row("asked", 60, ReportedStatus.Hibernated), Deployment("asked", 61, ReportedStatus.Running));
        _told.Last.State.ShouldBe(SessionState.Hibernated);
        Run("scaled");
        _told.See(Deployment("scaled", 60, ReportedStatus.Hibernated), Row("scaled", 61, ReportedStatus.Running));
        _told.Last.State.ShouldBe(SessionState.Hibernated);

        _told.See(Deployment("scaled", 90, ReportedStatus.Running));
        _told.Last.State.ShouldBe(SessionState.Running);
    }

    [Fact]
    public void AFailureInTheRowCountsThoughAPodRuns()
    {
        Run("a");
        _told.See(Row("a", 60, ReportedStatus.Failed), Row("a", 60, ReportedStatus.Ended));
        _told.Names.ShouldBe("Created Started Failed Ended");
    }

    [Fact]
    public void ADeploymentThatWasMadeBeforeTheRowsWereReadAndHasNoneIsNoSession()
    {
        _told.See(RowsRead(100), Deployment("orphan", 150, ReportedStatus.Running, created: 99));
        _told.Names.ShouldBe("");
        _told.See(Row("orphan", 98, ReportedStatus.Requested, created: 98));
        _told.Last.State.ShouldBe(SessionState.Running, "its row shows late, as by the clock of another machine");
    }

    [Fact]
    public void ADeploymentThatWasMadeSinceIsASessionAtOnce()
    {
        _told.See(RowsRead(100), Deployment("a", 104, ReportedStatus.Running, created: 101));
        _told.Last.Active.ShouldBeTrue();
        _told.See(Row("a", 105, ReportedStatus.Running, created: 101), RowsListed(106, "a"), RowsRead(106));
        _told.Names.ShouldBe("Created Started");
    }

    [Fact]
    public void WhatNoRowTellsOfAfterAMinuteIsOver()
    {
        _told.See(Deployment("found", 0, ReportedStatus.Running) with { LookedBefore = false });
        _told.See(RowsRead(100), Deployment("new", 104, ReportedStatus.Running, created: 101));
        _told.See(RowsListed(110), RowsRead(110));
        _told.Registry.Counts[SessionState.Running].ShouldBe(1, "the row of the other may still come");

        _told.See(RowsListed(170), RowsRead(170));
        _told.Registry.Counts.GetValueOrDefault(SessionState.Running).ShouldBe(0);
        _told.Facts.OfType<SessionEnded>().ShouldHaveSingleItem().Session.Id.ShouldBe("new");
    }

    [Fact]
    public void ARowThatIsGoneIsTheEndAndItsDeploymentBeginsNothing()
    {
        Run("a");
        _told.See(RowsListed(60), RowsRead(60), Deployment("a", 70, ReportedStatus.Requested));
        _told.Names.ShouldBe("Created Started Ended");

        // Forgotten since, and seen anew.
        _told.Tick(72 * 3600).See(Deployment("a", 72 * 3600, ReportedStatus.Running));
        _told.Names.ShouldBe("Created Started Ended");
    }

    [Fact]
    public void WhatOneWitnessSaidBeforeARestartStillCountsWhenOnlyTheOtherIsThere()
    {
        Run("a");
        _told.See(Row("a", 60, ReportedStatus.Hibernated));
        var lives = _told.Registry.Changes.Lives;
        var json = lives.Select(RegistryJson.Write).Select(RegistryJson.Read<Platform.Sessions.Life>);

        _told = new Telling(PlatformSnapshot.Empty with { Lives = [.. json] });
        _told.See(Deployment("a", 70, ReportedStatus.Running), DeploymentsListed(71, "a"));

        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Hibernated] = 1 });
    }

    [Fact]
    public void AListOfOneWitnessSaysNothingAboutWhatAnotherHasSeen()
    {
        Run("row and deployment");
        _told.See(Row("row", 1, ReportedStatus.Running));
        _told.See(
            new StatusReported("resource", At(1), ReportedStatus.Running)
            {
                Witness = Witness.Resource,
                Uid = "uid",
                CreatedAt = At(1),
                LookedBefore = true,
            }
        );
        _told.See(new SessionsListed(new HashSet<string> { "uid" }, At(60)));
        _told.See(DeploymentsListed(60, "row and deployment"), RowsListed(60, "row", "row and deployment"));

        _told.Registry.Counts.ShouldBe(new Dictionary<SessionState, int> { [SessionState.Running] = 3 });
    }

    [Fact]
    public void ADeploymentThatWasFoundAndARowThatIsNewAreACreation()
    {
        _told.See(Deployment("a", 4, ReportedStatus.Running, created: 1) with { LookedBefore = false });
        _told.See(Row("a", 5, ReportedStatus.Running, created: 0));
        _told.Names.ShouldBe("Found Created Started");
    }

    private void Run(string id) =>
        _told.See(
            Row(id, 0, ReportedStatus.Requested),
            Deployment(id, 1, ReportedStatus.Requested),
            Deployment(id, 4, ReportedStatus.Running),
            Row(id, 5, ReportedStatus.Running)
        );

    private static StatusReported Row(string id, double at, ReportedStatus status, double created = 0) =>
        Told(id, at, status, created) with
        {
            Witness = Witness.Row,
        };

    private static StatusReported Deployment(string id, double at, ReportedStatus status, double created = 1) =>
        Told(id, at, status, created) with
        {
            Witness = Witness.Workload,
        };

    private static StatusReported Told(string id, double at, ReportedStatus status, double created) =>
        new(id, At(at), status)
        {
            Uid = id,
            CreatedAt = At(created),
            LookedBefore = true,
            User = User("ada"),
            Template = "chrome",
            Platform = "kubernetes",
        };

    private static SessionsWatched RowsRead(double at) => new(At(at)) { Witness = Witness.Row };

    private static SessionsListed RowsListed(double at, params string[] ids) =>
        new(ids.ToHashSet(), At(at)) { Witness = Witness.Row };

    private static SessionsListed DeploymentsListed(double at, params string[] ids) =>
        new(ids.ToHashSet(), At(at)) { Witness = Witness.Workload };
}
