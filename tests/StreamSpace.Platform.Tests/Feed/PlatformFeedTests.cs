using AgentlessDatadog.Tests.Support;
using Shouldly;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Feed;

/// <summary>What is true, and who is told.</summary>
public sealed class PlatformFeedTests : IAsyncDisposable
{
    private readonly FeedRun _run = new();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task TheFirstStateIsASnapshotOfAllThatIsOpenAndTellsNothingThatHappened()
    {
        await _run.SubscribedAsync();
        await _run.UntilAsync(() => _run.Subscriber.States.Count == 1, "the first state");
        _run.Source.Say(null, Create("s", 0), Running("s", 1), new UsersTotalled(3, At(0)));
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 2, "created and started");
        var first = _run.Subscriber.States[0];
        first.IsSnapshot.ShouldBeTrue();
        first.Sessions.ShouldBeEmpty();

        var late = new RecordingSubscriber("late");
        await _run.Feed.SubscribeAsync(late, CancellationToken.None);
        await late.Changed.UntilAsync(() => late.States.Count == 1, "the snapshot");
        var snapshot = late.States[0];
        snapshot.IsSnapshot.ShouldBeTrue();
        snapshot.Sessions.ShouldHaveSingleItem().State.ShouldBe(SessionState.Running);
        snapshot.Users.ShouldBe(3);
        _run.Feed.Sessions[SessionState.Running].ShouldBe(1);

        _run.Source.Say(null, Create("t", 2));
        await late.Changed.UntilAsync(() => late.Facts.Count == 1, "what happens from then on");
        late.Facts[0].ShouldBeOfType<SessionCreated>().Session.Id.ShouldBe("t");
    }

    [Fact]
    public async Task WhatIsKnownIsSaidToBeWholeOnceEverySourceIsUpAndNotBefore()
    {
        var second = new ScriptedSource("second") { State = SourceState.Up };
        await _run.With(false, _run.Source, second).SubscribedAsync();
        second.Say(null, Create("a", 0));
        await _run.UntilAsync(() => _run.Subscriber.Sessions.Count == 1, "the first session");
        _run.Subscriber.States.ShouldAllBe(s => !s.IsWhole);

        _run.Source.State = SourceState.Up;
        await _run.AdvanceUntilAsync(() => _run.Subscriber.States[^1].IsWhole, "the word, though nothing happened");
        _run.Subscriber.States[^1].Sessions.ShouldBeEmpty();
        var late = new RecordingSubscriber("late");
        await _run.Feed.SubscribeAsync(late, CancellationToken.None);
        await late.Changed.UntilAsync(() => late.States.Count > 0, "the snapshot");
        late.States[0].IsWhole.ShouldBeTrue();
    }

    [Fact]
    public async Task TimePassesWhileNothingArrives()
    {
        await _run.SubscribedAsync();
        _run.Source.Say(null, Delete("s", 0));
        await _run.UntilAsync(() => _run.Subscriber.Sessions.Count == 1, "the held end");
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.OfType<SessionEnded>().Any(), "the end");
        (_run.Clock.GetUtcNow() - Morning).ShouldBeGreaterThanOrEqualTo(SessionExpiry.HeldEndTimeout);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(72)]
    public async Task AClockThatIsSetForwardLapsesNothingAndForgetsNothing(int hours)
    {
        var clock = new SettableClock(Morning);
        await using var run = await new FeedRun(clock: clock).SubscribedAsync();
        run.Source.Say(null, Create("s", 0), Create("t", 0), Delete("t", 1));
        await run.UntilAsync(() => run.Subscriber.Facts.Count == 3, "a request, and an end");
        clock.Set(TimeSpan.FromHours(hours));
        run.Source.Say(null, Create("t", 0), Delete("t", 1), Create("u", 2));
        await run.UntilAsync(
            () => run.Subscriber.Facts.OfType<SessionCreated>().Any(f => f.Session.Id == "u"),
            "what followed"
        );
        run.Subscriber.Facts.Count.ShouldBe(4, "what is told again counts once");
        run.Feed.Sessions[SessionState.Starting].ShouldBe(2);

        await run.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(10));
                return !run.Feed.Sessions.ContainsKey(SessionState.Starting);
            },
            "nothing confirmed them"
        );
        (clock.Truth - Morning).ShouldBeGreaterThanOrEqualTo(SessionExpiry.RequestTimeout);
    }

    [Fact]
    public async Task ASourceThatBreaksIsStartedAgain()
    {
        _run.Source.BreaksOnce = true;
        await _run.SubscribedAsync();
        _run.Source.Say(null, Create("s", 0));
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == 1, "the fact of the second start");
    }

    [Fact]
    public async Task WhatTheDemoInventsIsMarkedAsSuch()
    {
        await _run.With(true, _run.Source).SubscribedAsync();
        _run.Source.Say(null, Create("s", 0));
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 1, "the fact");
        _run.Subscriber.Batches.ShouldAllBe(b => b.IsDemo);
        _run.Subscriber.States.ShouldAllBe(s => s.IsDemo);
    }

    [Fact]
    public async Task ASubscriberThatIsSlowIsToldTheLatestOfEachSessionAndNotWhatWasInBetween()
    {
        var gate = new TaskCompletionSource();
        _run.Subscriber.BeforeState = (state, _) => state.IsSnapshot ? Task.CompletedTask : gate.Task;
        var quick = new RecordingSubscriber("quick");
        await _run.SubscribedAsync(quick);
        await _run.UntilAsync(() => _run.Subscriber.States.Count > 0, "the snapshot");
        _run.Source.Say(null, Create("a", 0));
        await quick.Changed.UntilAsync(() => quick.Facts.Count == 1, "the first");
        _run.Source.Say(null, Running("a", 1));
        _run.Source.Say(null, Hibernated("a", 2), Create("b", 2), Delete("b", 3), new UsersTotalled(7, At(3)));
        await quick.Changed.UntilAsync(() => quick.Facts.Count == 5, "the rest");
        gate.SetResult();

        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 5, "every fact");
        var changes = _run.Subscriber.States.Where(s => !s.IsSnapshot).ToList();
        changes.Count.ShouldBeInRange(1, 2);
        _run.Subscriber.Session("a")!.State.ShouldBe(SessionState.Hibernated);
        _run.Subscriber.Session("b")!.State.ShouldBe(SessionState.Ended);
        changes[^1].Users.ShouldBe(7);
    }
}
