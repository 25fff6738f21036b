using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests;

/// <content>What is kept, and who is told so.</content>
public sealed partial class PlatformWatchTests
{
    [Fact]
    public async Task AStoreThatFailsLeavesTheWatchServingAndIsTriedAgain()
    {
        var store = new FailingStore(_store);
        await using var watch = Over(store, _source);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        _source.Say("1", Create("s", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the event");
        Checkpoint().ShouldBeNull();

        store.Fails = false;
        await AdvanceUntilAsync(() => Checkpoint() == "1", "the checkpoint");
        ((IRegistryStore)_store).Load().Lives.ShouldHaveSingleItem();
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task WhyNothingCanBeKeptIsSaidUntilACommitWorks()
    {
        var store = new FailingStore(_store);
        await using var watch = Over(store, _source);
        var running = watch.RunAsync(_stop.Token);
        watch.NotKept.ShouldBeNull();
        _source.Say("1", Create("s", 0));
        await _listener.Changed.UntilAsync(() => watch.NotKept is not null, "the sentence");
        watch.NotKept.ShouldNotBeNull().ShouldContain("cannot be kept");

        store.Fails = false;
        await AdvanceUntilAsync(() => watch.NotKept is null, "a commit that works");
        Checkpoint().ShouldBe("1");
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task AStoreThatHangsHoldsWhoPostsForTenSecondsAndIsSaid()
    {
        var gate = new TaskCompletionSource();
        var store = new FailingStore(_store) { Fails = false, Hangs = gate.Task };
        var http = new HttpSource(_clock, ownsUsers: true);
        await using var watch = Over(store, http);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        await AdvanceUntilAsync(() => http.Status.State == SourceState.Up, "the source");
        var begin = _clock.GetUtcNow();
        var posted = http.TakeAsync([Create("s", 0)], CancellationToken.None);
        await AdvanceUntilAsync(() => posted.IsCompleted, "an answer");
        (await posted).ShouldBeFalse("nobody knows whether it will be kept");
        (_clock.GetUtcNow() - begin).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
        await AdvanceUntilAsync(() => watch.NotKept is not null, "the sentence");
        watch.NotKept.ShouldNotBeNull().ShouldContain("has not answered for");

        gate.SetResult();
        await _listener.Changed.UntilAsync(() => watch.NotKept is null, "a commit that works");
        (await http.TakeAsync([Create("s", 0)], CancellationToken.None)).ShouldBeTrue();
        _listener.Events.ShouldHaveSingleItem();
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task WhoPostsLearnsWhetherItIsOnDiskAndMayPostItAgain()
    {
        var store = new FailingStore(_store);
        _holds = true;
        var http = new HttpSource(_clock, ownsUsers: true);
        await using var watch = Over(store, http);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        await AdvanceUntilAsync(() => http.Status.State == SourceState.Up, "the source");
        Observation[] seen = [new UserActed("fact", UserAct.Created, User("ada"), At(1)), Create("s", 0)];
        (await http.TakeAsync(seen, CancellationToken.None)).ShouldBeFalse("nobody has it on disk");
        store.Fails = false;
        (await http.TakeAsync(seen, CancellationToken.None)).ShouldBeTrue();
        Owed().Count.ShouldBe(2, "the listener has them in memory alone");

        _holds = false;
        await AdvanceUntilAsync(() => Owed().Count == 0, "the listener has kept them");
        _listener.Events.Select(e => e.Id).Distinct().Count().ShouldBe(2);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task WhatACrashLeftUntoldIsToldFirstWithTheSameIdsWhicheverSourceSpeaksFirstThen()
    {
        // It dies in the middle of the batch: the listener may have taken it or not.
        var taken = new RecordingListener();
        using (var crash = new CancellationTokenSource())
        {
            await using var watch = Over(_store, _source);
            await using var attached = await watch.AttachAsync(
                "dies",
                async (batch, token) =>
                {
                    await taken.TakeAsync(batch, token);
                    if (!batch.Baseline)
                    {
                        await crash.CancelAsync();
                        token.ThrowIfCancellationRequested();
                    }
                },
                CancellationToken.None
            );
            var dying = watch.RunAsync(crash.Token);
            _source.Say("7", Create("s", 0), new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0)));
            await dying;
        }
        var before = taken.Events.Select(e => e.Id).OfType<string>().ToList();
        before.Count.ShouldBe(2);

        // The cluster is the first to speak, and dates the creation otherwise.
        var source = new ScriptedSource();
        source.Say(
            "8",
            new StatusReported("s", At(2), ReportedStatus.Running)
            {
                Uid = "uid-s",
                CreatedAt = At(1),
                Platform = "kubernetes",
            }
        );
        await RunOnceAsync(_store, _listener, source, () => _listener.Events.OfType<SessionStarted>().Any());
        _listener.Batches[1].Events.Select(e => e.Id).ShouldBe(before);
        _listener.Batches[1].CatchingUp.ShouldBeTrue("a fact of then may be older than what is known");
        _listener.Batches[2].Baseline.ShouldBeTrue();
        _listener.Events.OfType<SessionCreated>().ShouldHaveSingleItem();

        var third = new RecordingListener();
        await RunOnceAsync(_store, third, new ScriptedSource(), () => third.Batches.Count > 0);
        third.Batches.ShouldAllBe(b => b.Baseline);
    }

    [Fact]
    public async Task WhoeverBeginsWhileSomethingIsOwedIsToldItBetweenTwoBaselines()
    {
        _holds = true;
        await AttachAsync(_listener);
        Start();
        _source.Say(null, Create("s", 0), new UserActed("login-1", UserAct.LoggedIn, User("ada"), At(0)));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 2, "the facts");
        var owed = _listener.Events.Select(e => e.Id).ToList();
        await AdvanceUntilAsync(() => _clock.GetUtcNow() > At(5), "some ticks");

        // One copy of a listener that was let go of and came back, and one that was never away.
        var next = new RecordingListener();
        await using var attached = await ListenAsync(_watch, next);
        ShouldBeginWith(next.Batches);
        await _watch.RenewAsync(attached, CancellationToken.None);
        ShouldBeginWith([.. next.Batches.Skip(3)]);

        _holds = false;
        await AdvanceUntilAsync(() => Owed().Count == 0, "the end of the debt");
        var late = new RecordingListener();
        await AttachAsync(late);
        late.Batches.ShouldHaveSingleItem();

        void ShouldBeginWith(IReadOnlyList<PlatformBatch> batches)
        {
            batches.Select(b => (b.Baseline, b.CatchingUp)).ShouldBe([(true, false), (false, true), (true, false)]);
            batches[1].Events.Select(e => e.Id).ShouldBe(owed);
        }
    }

    [Fact]
    public async Task OneThatForgotIsToldWhatIsOwedBeforeTheBatchAndNothingOfThatTwice()
    {
        _holds = true;
        var forgot = false;
        Start();
        await _watch.AttachAsync(
            "forgetful",
            async (batch, token) =>
            {
                if (forgot && !batch.Baseline)
                {
                    forgot = false;
                    throw new BaselineFirstException();
                }
                await _listener.TakeAsync(batch, token);
            },
            CancellationToken.None
        );
        _source.Say(null, new UserActed("first", UserAct.LoggedIn, User("ada"), At(0)));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the first fact");
        forgot = true;
        _source.Say(null, new UserActed("second", UserAct.LoggedIn, User("ben"), At(1)));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 3, "the second fact");

        _listener.Events.OfType<UserLoggedIn>().Select(e => e.User.Name).ShouldBe(["ada", "ada", "ben"]);
        _listener.Batches.Select(b => b.Baseline).ShouldBe([true, false, true, false, true, false]);
    }

    [Fact]
    public async Task OneThatFailsInTheMiddleOfItsBeginningBeginsAgain()
    {
        _holds = true;
        var (forgot, fails) = (false, false);
        Start();
        await _watch.AttachAsync(
            "forgetful",
            async (batch, token) =>
            {
                if (forgot && !batch.Baseline)
                {
                    (forgot, fails) = (false, true);
                    throw new BaselineFirstException();
                }
                if (fails && batch.CatchingUp)
                {
                    fails = false;
                    throw new InvalidOperationException("not this one");
                }
                await _listener.TakeAsync(batch, token);
            },
            CancellationToken.None
        );
        _source.Say(null, new UserActed("first", UserAct.LoggedIn, User("ada"), At(0)));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the first fact");
        forgot = true;
        _source.Say(null, new UserActed("second", UserAct.LoggedIn, User("ben"), At(1)));
        await AdvanceUntilAsync(() => _listener.Events.Count == 3, "the second fact");

        _listener.Events.OfType<UserLoggedIn>().Select(e => e.User.Name).ShouldBe(["ada", "ada", "ben"]);
    }

    [Fact]
    public void WhatIsOwedIsBoundedAndTheOldestGoesFirst()
    {
        var log = new SearchedLog();
        var book = new WatchBook(_store, _clock, log);
        List<PlatformEvent> facts =
        [
            .. Enumerable
                .Range(0, WatchBook.MostOwed)
                .Select(n => new UserLoggedIn(User("ada"), At(0)) { Id = $"{n}" }),
        ];
        book.Commit(facts);
        book.Commit([new UserLoggedIn(User("ada"), At(1)) { Id = "last" }]);

        book.Owed.Count.ShouldBe(WatchBook.MostOwed / 2);
        book.Owed[^1].Id.ShouldBe("last");
        Owed().ShouldBe(book.Owed);
    }

    [Fact]
    public async Task OnlyWhatChangedIsCommitted()
    {
        var store = new FailingStore(_store) { Fails = false };
        await using var watch = Over(store, _source);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        _source.Say("1", Create("a", 0));
        await _listener.Changed.UntilAsync(() => store.Commits.Count == 1, "the first commit");
        _source.Say(null, Create("b", 0));
        await _listener.Changed.UntilAsync(() => store.Commits.Count == 2, "the second commit");
        await AdvanceUntilAsync(() => _clock.GetUtcNow() > At(5), "some ticks");

        // The last says that the listener has it all.
        store.Commits.ShouldBe([("a", 1), ("b", 0), ("", 0)]);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task TheNextStartGoesOnFromTheCheckpoint()
    {
        Start();
        _source.Say("41", Create("s", 0));
        await _listener.Changed.UntilAsync(() => Checkpoint() == "41", "the checkpoint");
        (await _source.StartedWith.Task).ShouldBeNull();
        await _stop.CancelAsync();
        await _running;

        using var stop = new CancellationTokenSource();
        var source = new ScriptedSource();
        await using var watch = Over(_store, source);
        var running = watch.RunAsync(stop.Token);
        (await source.StartedWith.Task).ShouldBe("41");
        watch.Sessions[SessionState.Requested].ShouldBe(1);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task ACrashBetweenAcknowledgeAndCommitYieldsTheSameIdsAgain()
    {
        Observation[] seen =
        [
            Delete("held", 4),
            Create("s", 0),
            Running("s", 1),
            Hibernated("s", 2),
            Running("s", 3),
            Running("found", 3),
            Create("found", 1),
            Delete("s", 4),
            new UserActed("fact", UserAct.Created, User("ada"), At(1)),
        ];
        var first = new RecordingListener();
        await RunOnceAsync(new FailingStore(_store), first, seen);
        var second = new RecordingListener();
        await RunOnceAsync(_store, second, seen);

        var ids = first.Events.Select(e => e.Id).ToList();
        ids.Count(id => id is not null).ShouldBe(9);
        second.Events.Select(e => e.Id).ShouldBe(ids);

        var third = new RecordingListener();
        await RunOnceAsync(_store, third, seen);
        third.Batches.Where(b => !b.Baseline).SelectMany(b => b.Events).OfType<SessionEvent>().ShouldBeEmpty();
    }
}
