using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests;

/// <summary>What is known while a source tells piece by piece what it had missed is not said to be whole.</summary>
public sealed class CatchingUpTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(Some.Morning);
    private readonly RecordingListener _listener = new();
    private readonly CancellationTokenSource _stop = new();
    private PlatformWatch? _watch;
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_watch is not null)
        {
            await _watch.DisposeAsync();
        }
        _stop.Dispose();
    }

    [Fact]
    public async Task EveryBatchSaysWhetherASourceIsStillCatchingUpAndTheEndIsToldThoughNothingHappens()
    {
        var source = new ScriptedSource { State = SourceState.Up };
        var isBehind = true;
        await WatchAsync(source, new ScriptedSource("other") { State = SourceState.Up, CatchesUp = () => isBehind });
        source.Say(null, Some.Create("a", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the session");
        _listener.Batches[^1].CatchingUp.ShouldBeTrue();
        _listener.Batches.ShouldAllBe(b => !b.AllSeen, "all is not seen before it has caught up");
        var late = new RecordingListener();
        await using var later = await _watch!.AttachAsync("late", late.TakeAsync, default);
        late.Batches.ShouldHaveSingleItem().CatchingUp.ShouldBeTrue();

        foreach (var behind in new[] { false, true, false })
        {
            isBehind = behind;
            await _listener.Changed.UntilAsync(
                () =>
                {
                    _clock.Advance(TimeSpan.FromSeconds(1));
                    return _listener.Batches[^1].CatchingUp == behind;
                },
                "the word"
            );
            _listener.Batches[^1].Events.ShouldBeEmpty();
            _listener.Batches[^1].AllSeen.ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task APieceIsOneThoughItsSourceBeginsOrEndsWhileItIsTakenIn(int when)
    {
        var asked = 0;
        var source = new ScriptedSource { State = SourceState.Up, CatchesUp = () => asked++ % 2 == when };
        await WatchAsync(source);
        source.Say(null, Some.Create("a", 0));
        await _listener.Changed.UntilAsync(() => _listener.Events.Count == 1, "the session");
        _listener.Batches[^1].CatchingUp.ShouldBeTrue();
    }

    [Fact]
    public async Task WhatNatsHadMissedIsNotWholeBeforeTheLastOfIt()
    {
        var now = TimeProvider.System.GetUtcNow();
        var upstream = new UpstreamMessages(seed: 1);
        await using var server = await NatsServer.StartAsync();
        await using var api = await server.ConnectAsync();
        await NatsServer.CreateStreamsAsync(api);
        await using var ear = new NatsEar();
        await ear.ListenAsync(server.Url);
        await ear.KeptAsync(0);
        await ear.StopAsync();

        var lives = Enumerable.Range(0, 50).Select(i => $"s{i}").ToList();
        foreach (var life in lives)
        {
            await NatsServer.StoreAsync(api, upstream.Create(life, "ada", "chrome", now));
        }
        foreach (var life in lives.Skip(1))
        {
            await NatsServer.StoreAsync(api, upstream.Delete(life, "ada", now.AddSeconds(1)));
        }
        await ear.ListenAsync(server.Url);
        await ear.EndedAsync(49);
        await ear.Listener.Changed.UntilAsync(() => !ear.Listener.Batches[^1].CatchingUp, "the end of it");
        ear.Listener.ActiveWhenWhole.ShouldBeSubsetOf([0, 1]);
        await NatsServer.StoreAsync(api, upstream.Create("live", "ada", "chrome", now.AddSeconds(2)));
        await ear.Listener.Changed.UntilAsync(() => ear.Listener.ActiveWhenWhole[^1] == 2, "a live one");
    }

    [Fact]
    public async Task AListOfManyPagesIsNotWholeBeforeItsLast()
    {
        var cluster = await FakeCluster.StartAsync(TimeProvider.System);
        cluster.PageSize = 1;
        await using var attached = new Attached(cluster, TimeProvider.System);
        for (var i = 0; i < 5; i++)
        {
            cluster.RunSession($"before{i}");
        }
        await attached.WatchingAsync();
        await attached.StopAsync();
        for (var i = 0; i < 5; i++)
        {
            cluster.DeletePod($"ss-before{i}");
            cluster.DeleteSession($"before{i}");
            cluster.RunSession($"after{i}");
        }
        await attached.WatchingAsync();
        await attached.UntilAsync(() => attached.Recorder.ActiveWhenWhole[^1] == 5, "the list");

        // Nothing at first, then five, whichever they are: never some of them, nor those that are gone beside them.
        attached.Recorder.ActiveWhenWhole.ShouldBeSubsetOf([0, 5]);
    }

    private async Task WatchAsync(params ISource[] sources)
    {
        _watch = new PlatformWatch(
            sources,
            new MemoryRegistryStore(),
            false,
            () => false,
            _clock,
            () => 0.5,
            new SearchedLog()
        );
        await _watch.AttachAsync("listener", _listener.TakeAsync, default);
        _running = _watch.RunAsync(_stop.Token);
    }
}
