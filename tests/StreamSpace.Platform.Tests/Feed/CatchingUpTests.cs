using Shouldly;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Feed;

/// <summary>What is known while a source tells piece by piece what it had missed is not said to be whole.</summary>
public sealed class CatchingUpTests : IAsyncDisposable
{
    private readonly FeedRun _run = new();

    public ValueTask DisposeAsync() => _run.DisposeAsync();

    [Fact]
    public async Task EveryStateSaysWhetherASourceIsStillCatchingUpAndTheEndIsToldThoughNothingHappens()
    {
        var isBehind = true;
        _run.Source.State = SourceState.Up;
        var other = new ScriptedSource("other") { State = SourceState.Up, CatchesUp = () => isBehind };
        await _run.With(false, _run.Source, other).SubscribedAsync();
        _run.Source.Say(null, Some.Create("a", 0));
        await _run.UntilAsync(() => _run.Subscriber.Sessions.Count == 1, "the session");
        _run.Subscriber.States[^1].IsCatchingUp.ShouldBeTrue();
        _run.Subscriber.States.ShouldAllBe(s => !s.IsWhole, "it is not whole before it has caught up");
        var late = new RecordingSubscriber("late");
        await _run.Feed.SubscribeAsync(late, default);
        await late.Changed.UntilAsync(() => late.States.Count > 0, "the snapshot");
        late.States[0].IsCatchingUp.ShouldBeTrue();

        foreach (var behind in new[] { false, true, false })
        {
            isBehind = behind;
            await _run.AdvanceUntilAsync(() => _run.Subscriber.States[^1].IsCatchingUp == behind, "the word");
            _run.Subscriber.States[^1].Sessions.ShouldBeEmpty();
            _run.Subscriber.States[^1].IsWhole.ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task APieceIsOneThoughItsSourceBeginsOrEndsWhileItIsTakenIn(int when)
    {
        var asked = 0;
        var source = new ScriptedSource { State = SourceState.Up, CatchesUp = () => asked++ % 2 == when };
        await _run.With(false, source).SubscribedAsync();
        source.Say(null, Some.Create("a", 0));
        await _run.UntilAsync(() => _run.Subscriber.Sessions.Count == 1, "the session");
        _run.Subscriber.States[^1].IsCatchingUp.ShouldBeTrue();
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
        await ear.Subscriber.Changed.UntilAsync(() => !ear.Subscriber.States[^1].IsCatchingUp, "the end of it");
        ear.Subscriber.ActiveWhenWhole.ShouldBeSubsetOf([0, 1]);
        await NatsServer.StoreAsync(api, upstream.Create("live", "ada", "chrome", now.AddSeconds(2)));
        await ear.Subscriber.Changed.UntilAsync(() => ear.Subscriber.ActiveWhenWhole[^1] == 2, "a live one");
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
}
