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
