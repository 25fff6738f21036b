using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>What the database knows about users and sessions, in the registry that all sources share.</summary>
public sealed class UserNamesTests
{
    private static readonly PlatformUser Ada = new("7d1f", "ada");

    [Theory]
    [InlineData("ada")]
    [InlineData("7d1f")]
    public void AUserIsOneUserWhicheverWordASourceHasForIt(string word)
    {
        var telling = new Telling().See(Named(0, Ada), Create("s", 1, user: word));
        telling.Last.User.ShouldBe(Ada);

        telling = new Telling().See(Create("s", 1, user: word), Named(2, Ada));
        telling.Names.ShouldBe("Created Changed");
        telling.Last.User.ShouldBe(Ada);
    }

    [Fact]
    public void FactsAboutUsersAreCompletedToo()
    {
        var telling = new Telling().See(
            Named(0, Ada),
            new UserActed("audit/1", UserAct.LoggedOut, new PlatformUser("7d1f", null), At(1))
        );

        telling.Facts.OfType<UserLoggedOut>().Single().User.ShouldBe(Ada);
    }

    [Fact]
    public void ANewNameReplacesTheOldOneAndTwoMayChangePlaces()
    {
        var telling = new Telling().See(
            Named(0, Ada, new PlatformUser("99", "bob")),
            Create("s", 1, user: "ada"),
            Named(2, new PlatformUser("7d1f", "bob"), new PlatformUser("99", "ada"))
        );
        telling.Last.User.ShouldBe(new PlatformUser("7d1f", "bob"));

        telling.See(Create("t", 3, user: "ada"));
        telling.Last.User.ShouldBe(new PlatformUser("99", "ada"));
    }

    [Fact]
    public void AnOldNameIsNobodysAnyMore()
    {
        var telling = new Telling().See(
            Named(0, Ada),
            Named(1, new PlatformUser("7d1f", "adele")),
            Create("old", 2, user: "ada"),
            Create("new", 3, user: "adele")
        );

        telling
            .Facts.OfType<SessionCreated>()
            .Select(e => e.Session.User)
            .ShouldBe([User("ada"), new PlatformUser("7d1f", "adele")]);
    }

    [Fact]
    public void ADescriptionCompletesAnOpenSessionAndNothingElse()
    {
        var telling = new Telling().See(
            new SessionDescribed("stale", At(0)) { Template = "chrome" },
            Running("s", 100),
            new SessionDescribed("s", At(110))
            {
                User = new PlatformUser("7d1f", null),
                Template = "chrome",
                Platform = "kubernetes",
                CreatedAt = At(40),
            }
        );

        telling.Registry.Counts.Values.Sum().ShouldBe(1);
        telling.Last.ShouldSatisfyAllConditions(
            s => s.User.Id.ShouldBe("7d1f"),
            s => s.Template.ShouldBe("chrome"),
            s => s.Platform.ShouldBe("kubernetes"),
            s => s.CreatedAt.ShouldBe(At(40)),
            s => s.RunningTime(At(110)).ShouldBe(TimeSpan.FromSeconds(70))
        );

        telling.See(Ended("s", 120), new SessionDescribed("s", At(130)) { Template = "other" });
        telling.Last.State.ShouldBe(SessionState.Ended);
        telling.Names.ShouldBe("Found Changed Ended");
    }

    [Fact]
    public void ACreationThatIsSeenAfterItsDescriptionIsStillCounted()
    {
        var telling = new Telling().See(
            Running("s", 100),
            new SessionDescribed("s", At(110)) { CreatedAt = At(40) },
            Create("s", 40)
        );

        telling.Facts.OfType<SessionCreated>().Count().ShouldBe(1);
        telling.Last.RunningTime(At(110)).ShouldBe(TimeSpan.FromSeconds(70));
    }

    private static UsersNamed Named(double at, params PlatformUser[] users) => new(users, At(at));
}
