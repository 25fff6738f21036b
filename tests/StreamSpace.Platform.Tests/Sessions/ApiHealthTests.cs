using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Feed;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Sessions;

/// <summary>StreamSpace's API that has given up on NATS: told once when it begins and once when it is over.</summary>
public sealed class ApiHealthTests
{
    private readonly Telling _told = new();

    public ApiHealthTests() => _told.Tick(0);

    private SourceStatus? Api => _told.Registry.Api;

    [Fact]
    public void NothingIsClaimedWhileNobodyCanTell() => Api.ShouldBeNull();

    [Fact]
    public void ItIsDownFromWhenItsConnectionIsMissingUntilThereIsOneAndSaysWhatUsersSee()
    {
        _told.See(Connected(0));
        Api!.State.ShouldBe(SourceState.Up);

        _told.See(Missing(60), Missing(60));
        (Api!.State, Api.Since).ShouldBe((SourceState.Down, At(60)));
        Api.Detail.ShouldContain("users can neither make nor end sessions");
        Api.Fix!.ShouldStartWith("Restart StreamSpace's API");
        _told.See(Connected(500));

        _told.Names.ShouldBe("ApiFailed ApiRecovered");
        _told.Facts.Select(f => f.At).ShouldBe([At(60), At(500)]);
        ((ApiRecovered)_told.Facts[1]).FailedAt.ShouldBe(At(60));
        _told.Facts.Select(f => f.Id).Distinct().Count().ShouldBe(2);
        (Api!.State, Api.Since).ShouldBe((SourceState.Up, At(500)));
    }

    [Fact]
    public void ItIsDownWhileItRefusesEveryRequestUntilItTakesOne()
    {
        _told.See(Refused(10, 20), Refused(10, 30));
        (Api!.State, Api.Since).ShouldBe((SourceState.Down, At(10)));
        _told.See(Taken(40));

        _told.Names.ShouldBe("ApiFailed ApiRecovered");
        Api!.State.ShouldBe(SourceState.Up);
    }

    [Fact]
    public void OneWhoIsConnectedSinceItRefusedTheLastRequestIsAnotherProcess()
    {
        _told.See(Refused(10, 20), Connected(21, since: 5));
        Api!.State.ShouldBe(SourceState.Down);

        _told.See(Connected(31, since: 25));
        Api!.State.ShouldBe(SourceState.Up);
        _told.Names.ShouldBe("ApiFailed ApiRecovered");
    }

    [Fact]
    public void BothWordsOfOneTroubleAreOneTrouble()
    {
        _told.See(Missing(10), Refused(20, 30), Missing(10), Connected(60, since: 55));
        _told.Names.ShouldBe("ApiFailed ApiRecovered");
    }

    [Fact]
    public void WhoTakesRequestsForLongerThanItCanHoldThemIsConnectedElsewhere()
    {
        _told.See(Missing(0), Taken(30));
        Api!.State.ShouldBe(SourceState.Down);

        _told.See(Taken(90), Missing(0), Missing(0));
        Api!.State.ShouldBe(SourceState.Up);
        _told.Names.ShouldBe("ApiFailed ApiRecovered");
    }

    [Fact]
    public void InVersionTwoThereIsNothingToSay()
    {
        _told.See(Missing(0), new AgentsSeen([], At(10)), Missing(0), Missing(0));
        Api.ShouldBeNull();
        _told.Names.ShouldBe("ApiFailed ApiRecovered");
    }

    [Fact]
    public async Task ItIsToldOnceOverARestartThroughWhichItLasts()
    {
        await using var run = new FeedRun();
        await run.SubscribedAsync();
        run.Source.Say(null, Missing(10));
        await run.UntilAsync(() => run.Subscriber.Facts.Count == 1, "its begin");
        await run.EndAsync();

        run.BeginAgain();
        await run.SubscribedAsync();
        run.Source.Say(null, Missing(90));
        await run.UntilAsync(() => run.Feed.Sources.Count == 2, "what was kept");
        run.Feed.Sources[1].Since.ShouldBe(At(10));
        run.Source.Say(null, Connected(200));
        await run.UntilAsync(() => run.Subscriber.Facts.Count == 2, "its end");
        await run.EndAsync();

        run.BeginAgain();
        await run.SubscribedAsync();
        run.Source.Say(null, Connected(300));
        await run.UntilAsync(() => run.Feed.Sources.Count == 2, "that it is well");
        run.Subscriber.Facts.Select(f => f.GetType().Name).ShouldBe(["ApiFailed", "ApiRecovered"]);
        run.Snapshot.Api.ShouldBeNull();
    }

    private static ApiConnectionSeen Connected(double at, double? since = null) => new(At(since ?? at), At(at));

    private static ApiConnectionSeen Missing(double since) => new(ConnectedSince: null, At(since));

    private static CreatesAnswered Refused(double since, double last) => new(At(since), At(last));

    private static CreatesAnswered Taken(double last) => new(RefusedSince: null, At(last));
}
