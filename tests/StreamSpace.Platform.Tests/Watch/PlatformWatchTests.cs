using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests;

public sealed partial class PlatformWatchTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(Morning);
    private readonly ScriptedSource _source = new();
    private readonly RecordingListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly MemoryRegistryStore _store = new();
    private readonly PlatformWatch _watch;
    private Task _running = Task.CompletedTask;
    private volatile bool _holds;

    public PlatformWatchTests() => _watch = Watch(demo: false);

    [Fact]
    public async Task TheFirstBatchIsTheBaseline()
    {
        Start();
        await AttachAsync(_listener);
        _source.Say(null, Running("s", 0), new UsersTotalled(3, At(0)));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 2, "found and counted");

        var second = new RecordingListener();
        await AttachAsync(second);

        _listener.Batches[0].ShouldSatisfyAllConditions(b => b.Baseline.ShouldBeTrue(), b => b.Events.ShouldBeEmpty());
        var baseline = second.Batches.ShouldHaveSingleItem();
        baseline.Baseline.ShouldBeTrue();
        baseline.Events.Select(e => e.GetType()).ShouldBe([typeof(SessionFound), typeof(UsersCounted)]);
        _watch.Sessions[SessionState.Running].ShouldBe(1);
    }

    [Fact]
    public async Task WhatIsKnownIsSaidToBeWholeOnceEverySourceIsUpAndNotBefore()
    {
        var second = new ScriptedSource("second") { State = SourceState.Up };
        await using var watch = Over(_store, _source, second);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        second.Say(null, Create("a", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the first session");
        _listener.Batches.ShouldAllBe(b => !b.AllSeen);

        _source.State = SourceState.Up;
        await AdvanceUntilAsync(() => _listener.Batches.Count == 3, "the word, though nothing happened");
        _listener.Batches[^1].AllSeen.ShouldBeTrue();
        _listener.Batches[^1].Events.ShouldBeEmpty();
        var late = new RecordingListener();
        await using var later = await ListenAsync(watch, late);
        late.Batches.ShouldHaveSingleItem().AllSeen.ShouldBeTrue();
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task AListenerThatKnowsNothingIsGivenABaselineAndThenTheSameBatch()
    {
        Start();
        await AttachAsync(_listener);
        var forgot = true;
        var taken = new RecordingListener();
        await using var attached = await _watch.AttachAsync(
            "forgetful",
            async (batch, token) =>
            {
                if (forgot && taken.Batches.Count == 1 && !batch.Baseline)
                {
                    forgot = false;
                    throw new BaselineFirstException();
                }
                await taken.TakeAsync(batch, token);
            },
            CancellationToken.None
        );
        _source.Say(null, Create("a", 0));
        await taken.Changed.UntilAsync(() => taken.Batches.Count == 3, "a baseline and the batch");

        taken.Batches[1].Baseline.ShouldBeTrue();
        taken.Batches[1].Events.ShouldHaveSingleItem().ShouldBeOfType<SessionFound>();
        taken.Batches[2].Events.ShouldHaveSingleItem().ShouldBeOfType<SessionCreated>();
        _listener.Batches.Count(b => b.Baseline).ShouldBe(1);
    }

    [Fact]
    public async Task ARenewedListenerIsGivenAllThatIsOpenOnce()
    {
        Start();
        await using var attached = await _watch.AttachAsync("renewed", _listener.TakeAsync, CancellationToken.None);
        _source.Say(null, Create("a", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "created");
        await _watch.RenewAsync(attached, CancellationToken.None);
        _listener.Batches[^1].Baseline.ShouldBeTrue();
        _listener.Batches[^1].Events.ShouldHaveSingleItem().ShouldBeOfType<SessionFound>();

        _listener.FailNext(1);
        await Should.ThrowAsync<InvalidOperationException>(async () =>
            await _watch.RenewAsync(attached, CancellationToken.None)
        );
    }

    [Fact]
    public async Task WhatHasArrivedTogetherIsOneBatch()
    {
        await AttachAsync(_listener);
        var gate = new TaskCompletionSource();
        var slow = new RecordingListener();
        await using var attached = await _watch.AttachAsync(
            "slow",
            async (batch, token) =>
            {
                await slow.TakeAsync(batch, token);
                if (!batch.Baseline)
                {
                    await gate.Task;
                }
            },
            CancellationToken.None
        );
        Start();
        _source.Say(null, Create("a", 0));
        await slow.Changed.UntilAsync(() => slow.Batches.Count == 2, "the first batch");
        _source.Say(null, Create("b", 1));
        _source.Say(null, Create("c", 2));
        _source.Say(null, Create("d", 2));
        await slow.Changed.UntilAsync(() => _source.HandedOn == 4, "all handed on");
        gate.SetResult();

        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 4, "four creations");
        _listener.Batches.Count.ShouldBe(3);
        _listener.Events.OfType<SessionCreated>().Select(e => e.Session.Id).ShouldBe(["a", "b", "c", "d"]);
    }

    [Fact]
    public async Task AListenerThatThrowsGetsTheSameBatchAgainAndIsOwedItUntilItHasIt()
    {
        await AttachAsync(_listener);
        _listener.FailNext(2);
        Start();
        _source.Say("1", Create("s", 0));
        await _listener.Changed.UntilAsync(() => _listener.Calls == 2, "the first failure");
        Owed().ShouldHaveSingleItem();

        await AdvanceUntilAsync(() => _listener.Events.Count == 1, "the third try");
        _listener.Calls.ShouldBe(4);
        await AdvanceUntilAsync(() => Owed().Count == 0, "the end of the debt");
        Checkpoint().ShouldBe("1");
    }

    [Fact]
    public async Task DetachingEndsTheTriesForAListenerAndTheOthersGoOn()
    {
        var broken = new RecordingListener();
        var handle = await _watch.AttachAsync("broken", broken.TakeAsync, CancellationToken.None);
        await AttachAsync(_listener);
        broken.FailNext(int.MaxValue);
        Start();
        _source.Say("1", Create("s", 0));
        await broken.Changed.UntilAsync(() => broken.Calls == 2, "the first failure");
        _listener.Events.ShouldBeEmpty();

        await handle.DisposeAsync();

        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the other listener's event");
        var calls = broken.Calls;
        _source.Say("2", Create("t", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 2, "the next event");
        broken.Calls.ShouldBe(calls);
    }

    [Fact]
    public async Task TimePassesWhileNothingArrives()
    {
        await AttachAsync(_listener);
        Start();
        _source.Say(null, Delete("s", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the held end");

        await AdvanceUntilAsync(() => _listener.Events.OfType<SessionEnded>().Any(), "the end");
        (_clock.GetUtcNow() - Morning).ShouldBeGreaterThanOrEqualTo(Registry.HoldFor);
    }

    [Fact]
    public async Task ASourceThatBreaksIsStartedAgain()
    {
        _source.BreaksOnce = true;
        await AttachAsync(_listener);
        Start();
        _source.Say(null, Create("s", 0));
        await AdvanceUntilAsync(() => _listener.Events.Count == 1, "the event of the second start");
    }

    [Fact]
    public async Task WhatTheDemoInventsIsMarkedAsSuch()
    {
        await using var watch = Watch(demo: true);
        await using var attached = await ListenAsync(watch, _listener);
        var running = watch.RunAsync(_stop.Token);
        _source.Say(null, Create("s", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the event");
        _listener.Batches.ShouldAllBe(b => b.Demo);
        await _stop.CancelAsync();
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _watch.DisposeAsync();
        _store.Dispose();
        _stop.Dispose();
    }

    private PlatformWatch Watch(bool demo) =>
        new([_source], _store, demo, () => _holds, _clock, () => 0.5, new SearchedLog());

    private PlatformWatch Over(IRegistryStore store, params ISource[] sources) =>
        new(sources, store, demo: false, () => _holds, _clock, () => 0.5, new SearchedLog());

    private static ValueTask<IAsyncDisposable> ListenAsync(PlatformWatch watch, RecordingListener listener) =>
        watch.AttachAsync("listener", listener.TakeAsync, CancellationToken.None);

    private void Start() => _running = _watch.RunAsync(_stop.Token);

    private ValueTask<IAsyncDisposable> AttachAsync(RecordingListener listener) =>
        _watch.AttachAsync("listener", listener.TakeAsync, CancellationToken.None);

    private IReadOnlyList<PlatformEvent> Owed() => ((IRegistryStore)_store).Load().Owed;

    private string? Checkpoint() => ((IRegistryStore)_store).Load().Checkpoints.GetValueOrDefault(_source.Name);

    private async Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        await _listener.Changed.UntilAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(250));
                return condition();
            },
            what
        );

    private async Task RunOnceAsync(IRegistryStore store, RecordingListener listener, Observation[] seen)
    {
        using var stop = new CancellationTokenSource();
        var source = new ScriptedSource();
        source.Say(null, seen);
        source.Say(null, new UserActed("last", UserAct.LoggedIn, User("ada"), At(9)));
        await RunOnceAsync(store, listener, source, () => listener.Events.OfType<UserLoggedIn>().Any());
    }

    private async Task RunOnceAsync(
        IRegistryStore store,
        RecordingListener listener,
        ScriptedSource source,
        Func<bool> last
    )
    {
        using var stop = new CancellationTokenSource();
        await using var watch = Over(store, source);
        await using var attached = await ListenAsync(watch, listener);
        var running = watch.RunAsync(stop.Token);
        await listener.Changed.UntilAsync(last, "the last event");
        await stop.CancelAsync();
        await running;
    }
}
