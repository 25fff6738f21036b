using Shouldly;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Webhooks;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Feed;

/// <summary>What is kept, who is told so, and what of it outlives a process.</summary>
public sealed class FactLogTests : IAsyncDisposable
{
    private readonly FeedRun _run = new();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task WhileTheDiskFailsStateGoesOnAndFactsWaitUntilTheyAreOnIt()
    {
        await _run.SubscribedAsync();
        _run.Store.Fails = true;
        _run.Source.Say("1", Create("s", 0), new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0)));
        await _run.UntilAsync(() => _run.Subscriber.Session("s") is not null, "the session");
        await _run.AdvanceUntilAsync(() => _run.Feed.StoreError is not null, "the sentence");
        _run.Feed.StoreError.ShouldNotBeNull().ShouldContain("cannot be kept");
        _run.Checkpoint.ShouldBeNull();
        _run.Subscriber.Calls.ShouldBe(0);

        _run.Store.Fails = false;
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == 2, "the facts");
        _run.Checkpoint.ShouldBe("1");
        _run.Feed.StoreError.ShouldBeNull();
        _run.Subscriber.Facts.Select(f => f.Sequence).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task AStoreThatHangsHoldsWhoPostsForTenSecondsAndIsSaid()
    {
        var gate = new TaskCompletionSource();
        var http = new WebhookSource(_run.Clock, ownsUsers: true);
        await _run.With(false, http).SubscribedAsync();
        await _run.AdvanceUntilAsync(() => http.Status.State == SourceState.Up, "the source");
        _run.Store.Hangs = gate.Task;
        var begin = _run.Clock.GetUtcNow();
        var posted = http.TakeAsync([Create("s", 0)], CancellationToken.None);
        await _run.AdvanceUntilAsync(() => posted.IsCompleted, "an answer");
        (await posted).ShouldBeFalse("nobody knows whether it will be kept");
        (_run.Clock.GetUtcNow() - begin).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
        await _run.AdvanceUntilAsync(() => _run.Feed.StoreError is not null, "the sentence");
        _run.Feed.StoreError.ShouldNotBeNull().ShouldContain("has not answered for");

        gate.SetResult();
        await _run.UntilAsync(() => _run.Feed.StoreError is null, "a commit that works");
        (await http.TakeAsync([Create("s", 0)], CancellationToken.None)).ShouldBeTrue();
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 1, "the fact, once");
    }

    [Fact]
    public async Task WhoPostsIsAnsweredByTheLogThoughNoSubscriberCanKeepIt()
    {
        var http = new WebhookSource(_run.Clock, ownsUsers: true);
        _run.Subscriber.FailNext(int.MaxValue);
        await _run.With(false, http).SubscribedAsync();
        await _run.AdvanceUntilAsync(() => http.Status.State == SourceState.Up, "the source");
        Observation[] seen = [new UserActed("fact", UserAct.Created, User("ada"), At(1)), Create("s", 0)];
        (await http.TakeAsync(seen, CancellationToken.None)).ShouldBeTrue();
        (await http.TakeAsync(seen, CancellationToken.None)).ShouldBeTrue("it may be posted again");
        _run.Snapshot.LastSequence.ShouldBe(2);

        _run.Subscriber.FailNext(0);
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == 2, "both, once");
    }

    [Fact]
    public async Task OnlyWhatChangedIsCommitted()
    {
        await _run.SubscribedAsync();
        _run.Source.Say("1", Create("a", 0));
        await _run.UntilAsync(() => _run.Store.Commits.Any(c => c == ("a", 1)), "the first commit");
        _run.Source.Say(null, Create("b", 0));
        await _run.UntilAsync(() => _run.Store.Commits.Any(c => c == ("b", 0)), "the second commit");
        await _run.AdvanceUntilAsync(() => _run.CursorOf("subscriber") == 2, "the cursor");
        var commits = _run.Store.Commits.Count;
        await _run.AdvanceUntilAsync(() => _run.Clock.GetUtcNow() > At(30), "some ticks");
        _run.Store.Commits.Count.ShouldBe(commits);
        _run.Store.Commits.Count(c => c.Sessions.Length > 0).ShouldBe(2);
    }

    [Fact]
    public async Task TheNextStartGoesOnFromTheCheckpoint()
    {
        await _run.SubscribedAsync();
        _run.Source.Say("41", Create("s", 0));
        await _run.UntilAsync(() => _run.Checkpoint == "41", "the checkpoint");
        (await _run.Source.StartedWith.Task).ShouldBeNull();
        await _run.EndAsync();

        _run.BeginAgain();
        _run.Run();
        (await _run.Source.StartedWith.Task).ShouldBe("41");
        _run.Feed.Sessions[SessionState.Starting].ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFactThatNobodyHadWhenTheProcessEndedComesAfterTheStartUnderTheSameIdAndOnce(bool killed)
    {
        _run.Subscriber.FailNext(int.MaxValue);
        await _run.SubscribedAsync();
        _run.Source.Say("7", Create("s", 0), new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0)));
        await _run.UntilAsync(() => _run.Snapshot.LastSequence == 2, "the log");
        await _run.EndAsync(killed);

        // The cluster is the first to speak then, and dates the creation otherwise.
        _run.BeginAgain();
        _run.Subscriber.FailNext(0);
        _run.Source.Say(
            "8",
            new StatusReported("s", At(2), ReportedStatus.Running)
            {
                Uid = "uid-s",
                CreatedAt = At(1),
                Platform = "kubernetes",
            },
            new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0))
        );
        await _run.SubscribedAsync();
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.OfType<SessionStarted>().Any(), "the start");
        _run.Subscriber.Facts.Select(f => f.GetType().Name)
            .ShouldBe([nameof(SessionCreated), nameof(UserLoggedIn), nameof(SessionStarted)]);
    }

    [Fact]
    public async Task ARepeatIsKnownAfterARestartForAsLongAsTheFactIsInTheLog()
    {
        await _run.SubscribedAsync();
        var login = new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0));
        _run.Source.Say(null, login);
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 1, "the log-in");
        await _run.EndAsync();

        _run.BeginAgain();
        await _run.SubscribedAsync();
        _run.Source.Say(null, login, new UserActed("login-2", UserAct.LoggedIn, User("ben"), At(1)));
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 2, "the other log-in");
        _run.Subscriber.Facts.Select(f => f.Id).ShouldBe(["login-1", "login-2"]);
    }

    [Fact]
    public async Task NothingMoreIsTakenFromTheSourcesWhenTooMuchWaitsForTheDisk()
    {
        await _run.SubscribedAsync();
        await _run.UntilAsync(() => _run.CursorOf("subscriber") == 0, "the cursor");
        _run.Store.Fails = true;
        var many = Enumerable
            .Range(0, FactLog.MostPending)
            .Select(n => (Observation)new UserActed($"f{n}", UserAct.LoggedIn, User("ada"), At(0)))
            .ToArray();
        _run.Source.Say("1", many);
        await _run.AdvanceUntilAsync(() => _run.Feed.StoreError is not null, "the failure");
        _run.Source.Say("2", Create("s", 0));
        await _run.UntilAsync(() => _run.Source.HandedOn == 2, "the next is handed on");
        await _run.AdvanceUntilAsync(() => _run.Clock.GetUtcNow() > At(10), "some ticks");
        _run.Subscriber.Session("s").ShouldBeNull();

        _run.Store.Fails = false;
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == FactLog.MostPending + 1, "all of it");
        _run.Checkpoint.ShouldBe("2");
    }
}
