using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests;

/// <content>What is owed to listeners, and how it is told again.</content>
public sealed partial class PlatformWatchTests
{
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
}
