using Shouldly;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Sessions;

/// <summary>How a life ends: once, whatever comes late, twice or not at all.</summary>
public class SessionEndTests
{
    private readonly Telling _told = new();

    public SessionEndTests() => _told.Tick(0);

    [Fact]
    public void ADeleteBeforeItsCreateWaitsForIt()
    {
        _told.See(Delete("s", 20)).Tick(5).See(Create("s", 0)).Tick(60);

        _told.Names.ShouldBe("Found Created Ended");
        var ended = _told.Facts.OfType<SessionEnded>().Single().Session;
        ended.Template.ShouldBe("chrome");
        ended.RunningTime(At(60)).ShouldBe(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void ADeleteWhoseCreateNeverComesIsToldAfterTenSeconds()
    {
        _told.See(Delete("s", 20)).Tick(9.9);
        _told.Facts.OfType<SessionEnded>().ShouldBeEmpty();

        _told.Tick(10);
        var ended = _told.Facts.OfType<SessionEnded>().Single();
        ended.At.ShouldBe(At(20));
        ended.Session.User.Name.ShouldBe("ada");
        ended.Session.Template.ShouldBeNull();
    }

    [Fact]
    public void ACreateThatComesAfterTheEndCountsAndDoesNotResurrect()
    {
        _told.See(Delete("s", 20)).Tick(10).See(Create("s", 0), Create("s", 0), Running("s", 30)).Tick(2000);

        _told.Names.ShouldBe("Found Ended Created");
        _told.Last.State.ShouldBe(SessionState.Ended);
        _told.Facts.Select(e => e.Id).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void ACreateLaterThanTheEndBeginsANewLife()
    {
        _told.See(Create("s", 0), Delete("s", 10), Create("s", 11), Running("s", 12));

        _told.Names.ShouldBe("Created Ended Created Started");
        _told.Facts.OfType<SessionFact>().Select(e => e.Session.LifeId).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void ANewLifeIsNotTouchedByWhatWasSaidOfTheFormerOne()
    {
        _told.See(Create("s", 0), Delete("s", 10), Create("s", 20), Delete("s", 10), Failed("s", 9), Create("s", 0));
        _told.Names.ShouldBe("Created Ended Created");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnEndThatIsStampedAFewSecondsBeforeItsCreationEndsThatSession(bool isRequest)
    {
        _told.See(Create("s", 20), isRequest ? Delete("s", 17) : Ended("s", 17));

        _told.Names.ShouldBe("Created Ended");
        _told.Last.EndedAt.ShouldBe(At(20));
        _told.Last.RunningTime(At(60)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void SuchAnEndThatComesBeforeItsCreationWaitsForIt()
    {
        _told.See(Delete("s", 17)).Tick(5).See(Create("s", 20)).Tick(60);

        _told.Names.ShouldBe("Found Created Ended");
        _told.Facts.OfType<SessionFact>().Select(e => e.Session.LifeId).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public void SuchAnEndThatWasToldAlreadyIsOfTheSessionThatIsCreatedThen()
    {
        _told.See(Delete("s", 17)).Tick(30).See(Create("s", 20), Running("s", 21));

        _told.Names.ShouldBe("Found Ended Created");
        _told.Last.State.ShouldBe(SessionState.Ended);
    }

    [Fact]
    public void ARepeatedEndOfTheFormerLifeDoesNotEndTheNextOneThatFollowsAtOnce()
    {
        _told.See(Create("s", 0), Delete("s", 10), Create("s", 12), Delete("s", 11));

        _told.Names.ShouldBe("Created Ended Created");
    }

    [Fact]
    public void AnEndBeforeTheCreationIsOfALifeThatNobodySaw()
    {
        _told.See(Create("s", 20), Delete("s", 10));
        _told.Names.ShouldBe("Created");
    }

    [Fact]
    public void ALateCreateOfALifeThatRanAndEndedTellsItsCreationOnly()
    {
        _told.See(Running("s", 5), Delete("s", 20)).Tick(10).See(Create("s", 0));
        _told.Names.ShouldBe("Found Changed Ended Created");
        _told.Last.RunningTime(At(99)).ShouldBe(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void AnUnknownLifeHeldBackEndsWhenTheNextBegins()
    {
        _told.See(Delete("s", 10), Create("s", 20)).Tick(60);
        _told.Names.ShouldBe("Found Ended Created");
        _told.Last.State.ShouldBe(SessionState.Starting);
    }

    [Fact]
    public void RepeatedDeletesEndALifeOnce()
    {
        _told.See(Create("s", 0), Delete("s", 10), Delete("s", 11), Ended("s", 12)).Tick(60);
        _told.Names.ShouldBe("Created Ended");
    }

    [Fact]
    public void ALateDeleteEndsTheLifeOnceThoughNewerStatusesCameBefore()
    {
        _told.See(Create("s", 0), Running("s", 5), Running("s", 30), Delete("s", 29));
        _told.Names.ShouldBe("Created Started Ended");
        _told.Last.RunningTime(At(99)).ShouldBe(TimeSpan.FromSeconds(29));
    }

    [Fact]
    public void StatusesAfterTheEndDoNotResurrect()
    {
        _told.See(Create("s", 0), Delete("s", 10), Running("s", 11), Hibernated("s", 12), Wake("s", 13));
        _told.Names.ShouldBe("Created Ended");
        _told.Registry.Counts.ShouldBeEmpty();
    }

    [Fact]
    public void AStatusThatSaysEndedIsTheEnd()
    {
        _told.See(Create("s", 0), Running("s", 1), Ended("s", 10));
        _told.Names.ShouldBe("Created Started Ended");
    }

    [Fact]
    public void AFoundSessionWhoseTemplateIsKnownEndsAtOnce()
    {
        _told.See(Running("s", 0) with { Template = "gimp", CreatedAt = At(-100) }, Delete("s", 10));
        _told.Names.ShouldBe("Found Ended");
        _told.Last.RunningTime(At(10)).ShouldBe(TimeSpan.FromSeconds(110));
    }

    [Fact]
    public void ALapsedRequestThatIsDeletedNeverRan()
    {
        _told.See(Create("s", 0)).Tick(600).See(Delete("s", 700));
        _told.Names.ShouldBe("Created Changed Ended");
        _told.Last.RunningTime(At(800)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void AnEndedLifeIsRememberedForTwoDays()
    {
        var hours = 3600.0;
        _told.See(Create("s", 0), Delete("s", 10)).Tick(47 * hours).See(Running("s", 47 * hours));
        _told.Names.ShouldBe("Created Ended");
        _told.Registry.MarkDurable();

        _told.Tick(48 * hours).Registry.Changes.Forgotten.ShouldBe(["s"]);
        _told.See(Running("s", 48 * hours)).Names.ShouldBe("Created Ended Found");
    }

    [Fact]
    public void ALapsedLifeThatEndedIsRememberedFromItsEnd()
    {
        var twoDays = SessionExpiry.ClosedRetention.TotalSeconds;
        _told.See(Create("s", 0)).Tick(600).Tick(700).See(Delete("s", 700)).Tick(600 + twoDays);
        _told.See(Running("s", 600 + twoDays)).Names.ShouldBe("Created Changed Ended");
        _told.Tick(700 + twoDays).See(Running("s", 700 + twoDays)).Names.ShouldBe("Created Changed Ended Found");
    }
}
