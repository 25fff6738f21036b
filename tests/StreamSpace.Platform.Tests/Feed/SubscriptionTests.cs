using Shouldly;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Feed;

/// <summary>Each subscriber goes its own way along the log.</summary>
public sealed class SubscriptionTests : IAsyncDisposable
{
    private readonly FeedRun _run = new();
    private readonly RecordingSubscriber _other = new("other");

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task ASubscriberThatThrowsGetsTheSameFactsAgainAndItsCursorStaysUntilItHasThem()
    {
        _run.Subscriber.FailNext(2);
        await _run.SubscribedAsync(_other);
        _run.Source.Say("1", Create("s", 0));
        await _run.UntilAsync(() => _run.Subscriber.Calls == 1, "the first failure");
        await _other.Changed.UntilAsync(() => _other.Facts.Count == 1, "the other has it meanwhile");
        _run.CursorOf("subscriber").ShouldBe(0);

        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == 1, "the third try");
        _run.Subscriber.Calls.ShouldBe(3);
        await _run.AdvanceUntilAsync(() => _run.CursorOf("subscriber") == 1, "the cursor");
    }

    [Fact]
    public async Task WhatIsTrueIsToldWhileFactsWaitForASubscriberThatCannotKeepThem()
    {
        _run.Subscriber.FailNext(int.MaxValue);
        await _run.SubscribedAsync();
        _run.Source.Say(null, Create("a", 0));
        await _run.UntilAsync(() => _run.Subscriber.Calls == 1, "the failure");
        _run.Source.Say(null, Running("a", 1), Create("b", 1));
        await _run.UntilAsync(() => _run.Subscriber.Session("b") is not null, "the state");
        _run.Subscriber.Session("a")!.State.ShouldBe(SessionState.Running);

        _run.Subscriber.FailNext(0);
        await _run.AdvanceUntilAsync(() => _run.Subscriber.Facts.Count == 3, "every fact, once");
        _run.Subscriber.Facts.Select(f => f.Sequence).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task OneThatHangsDelaysNoOther()
    {
        var gate = new TaskCompletionSource();
        _run.Subscriber.BeforeFacts = (_, token) => gate.Task.WaitAsync(token);
        await _run.SubscribedAsync(_other);
        for (var n = 0; n < 20; n++)
        {
            _run.Source.Say(null, Create($"s{n}", n));
            // Without any time having passed by the clock of the feed.
            await _other.Changed.UntilAsync(() => _other.Facts.Count == n + 1, "the other's fact");
        }
        _run.Subscriber.Facts.ShouldBeEmpty();
        gate.SetResult();
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 20, "all of them");
    }

    [Fact]
    public async Task ASubscriptionThatEndsLeavesItsCursorAndTheNextOneGoesOnFromThere()
    {
        await _run.SubscribedAsync(_other);
        var leaving = new RecordingSubscriber("leaving");
        var first = await _run.Feed.SubscribeAsync(leaving, CancellationToken.None);
        _run.Source.Say(null, Create("a", 0));
        await leaving.Changed.UntilAsync(() => leaving.Facts.Count == 1, "the first");
        leaving.FailNext(int.MaxValue);
        _run.Source.Say(null, Create("b", 1));
        await leaving.Changed.UntilAsync(() => leaving.Calls == 2, "a failure");
        await first.DisposeAsync();
        _run.Source.Say(null, Create("c", 2));
        await _run.UntilAsync(() => _run.Subscriber.Facts.Count == 3, "another one");

        var back = new RecordingSubscriber("leaving");
        await _run.Feed.SubscribeAsync(back, CancellationToken.None);
        await back.Changed.UntilAsync(() => back.Facts.Count == 2, "what it lacked");
        back.Facts.OfType<SessionCreated>().Select(f => f.Session.Id).ShouldBe(["b", "c"]);
        back.States[0].Sessions.Count.ShouldBe(3);
    }

    [Fact]
    public async Task OneThatWasForgottenBeginsWithWhatHappensThen()
    {
        await _run.SubscribedAsync(_other);
        _run.Source.Say(null, Create("a", 0));
        await _other.Changed.UntilAsync(() => _other.Facts.Count == 1, "the first");
        var gone = new RecordingSubscriber("gone");
        var subscription = await _run.Feed.SubscribeAsync(gone, CancellationToken.None);
        await subscription.DisposeAsync();
        _run.Feed.RemoveCursorsBut(new HashSet<string> { "subscriber", "other" });
        _run.Source.Say(null, Create("b", 1));
        await _other.Changed.UntilAsync(() => _other.Facts.Count == 2, "the second");
        await _run.AdvanceUntilAsync(() => _run.CursorOf("gone") is null, "no cursor");

        var back = new RecordingSubscriber("gone");
        await _run.Feed.SubscribeAsync(back, CancellationToken.None);
        _run.Source.Say(null, Create("c", 2));
        await back.Changed.UntilAsync(() => back.Facts.Count == 1, "the third");
        back.Facts[0].ShouldBeOfType<SessionCreated>().Session.Id.ShouldBe("c");
    }

    [Fact]
    public async Task ASubscriberThatIsNoMoreEndsItsSubscriptionAndLeavesItsCursor()
    {
        await _run.SubscribedAsync();
        _other.BeforeFacts = (_, _) => throw new SubscriberGoneException();
        var subscription = await _run.Feed.SubscribeAsync(_other, CancellationToken.None);
        _run.Source.Say(null, Create("a", 0));
        await _other.Changed.UntilAsync(() => subscription.IsEnded, "the end");
        await _run.AdvanceUntilAsync(() => _run.CursorOf("subscriber") == 1, "the other's cursor");
        _run.CursorOf("other").ShouldBe(0);
        _other.Calls.ShouldBe(1);
        await subscription.DisposeAsync();
    }

    [Fact]
    public async Task OneThatIsAskedToEndTellsWhatIsLeftFirstUnlessItFails()
    {
        var gate = new TaskCompletionSource();
        _run.Subscriber.BeforeFacts = (_, _) => gate.Task;
        _other.FailNext(int.MaxValue);
        var subscription = await _run.Feed.SubscribeAsync(_run.Subscriber, CancellationToken.None);
        var failing = await _run.Feed.SubscribeAsync(_other, CancellationToken.None);
        _run.Run();
        _run.Source.Say(null, Create("a", 0));
        await _run.UntilAsync(() => _run.Subscriber.Calls == 1 && _other.Calls == 1, "the first fact");
        _run.Source.Say(null, Create("b", 0));
        await _run.UntilAsync(() => _run.Snapshot.LastSequence == 2, "the second one");

        var ending = subscription.EndAsync(TimeSpan.FromHours(1)).AsTask();
        gate.SetResult();
        await ending;
        _run.Subscriber.Facts.Count.ShouldBe(2);
        // By a clock that stands: it waits for nothing.
        await failing.EndAsync(TimeSpan.FromHours(1));
        _other.Facts.ShouldBeEmpty();
    }

    [Fact]
    public async Task HowASubscriptionStandsSaysSinceWhenItFailsWhyAndHowFarItIsBehind()
    {
        _run.Subscriber.FailNext(int.MaxValue);
        var subscription = await _run.Feed.SubscribeAsync(_run.Subscriber, CancellationToken.None);
        _run.Run();
        _run.Source.Say(null, Create("a", 0), Create("b", 0));
        await _run.UntilAsync(() => subscription.Health.Error is not null, "the error");
        var health = subscription.Health;
        health.Error.ShouldBe("told to fail");
        health.FailingSince.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(Morning);
        health.Behind.ShouldBe(2);

        _run.Subscriber.FailNext(0);
        await _run.AdvanceUntilAsync(() => subscription.Health is { Behind: 0, Error: null }, "the end of it");
        subscription.Health.FailingSince.ShouldBeNull();
    }
}
