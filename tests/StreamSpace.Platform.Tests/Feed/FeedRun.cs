using Microsoft.Extensions.Time.Testing;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Feed;

/// <summary>A feed over scripted sources and a store that may fail, on a clock that the test moves; begun again at will.</summary>
internal sealed class FeedRun : IAsyncDisposable
{
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public FeedRun(IPlatformStore? kept = null, FakeTimeProvider? clock = null)
    {
        Clock = clock ?? new FakeTimeProvider(Morning);
        Kept = kept ?? new MemoryPlatformStore();
        Store = new FailingStore(Kept) { Fails = false };
        Feed = Over(false, Source);
    }

    public FakeTimeProvider Clock { get; }

    public ScriptedSource Source { get; private set; } = new();

    public RecordingSubscriber Subscriber { get; } = new();

    public SearchedLog Log { get; } = new();

    /// <summary>What outlives a feed.</summary>
    public IPlatformStore Kept { get; }

    /// <summary>The way to it, which may fail.</summary>
    public FailingStore Store { get; }

    public PlatformFeed Feed { get; private set; }

    public PlatformSnapshot Snapshot => Kept.Load();

    public string? Checkpoint => Snapshot.Checkpoints.GetValueOrDefault("scripted");

    public long? CursorOf(string subscriber) =>
        Snapshot.Cursors.TryGetValue(subscriber, out var cursor) ? cursor : null;

    /// <summary>Sources other than the one that is there.</summary>
    public FeedRun With(bool isDemo, params ISource[] sources)
    {
        Feed = Over(isDemo, sources);
        return this;
    }

    public async Task<FeedRun> SubscribedAsync(params RecordingSubscriber[] others)
    {
        foreach (var subscriber in others.Prepend(Subscriber))
        {
            await Feed.SubscribeAsync(subscriber, CancellationToken.None);
        }
        Run();
        return this;
    }

    public void Run() => _running = Feed.RunAsync(_stop.Token);

    /// <summary>Ends the feed, as a process does that ends; or that is killed: then nothing more is written.</summary>
    public async Task EndAsync(bool killed = false)
    {
        Store.Fails |= killed;
        await _stop.CancelAsync();
        await _running;
        await Feed.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Another feed over what was kept.</summary>
    public void BeginAgain()
    {
        Store.Fails = false;
        Source = new ScriptedSource();
        _stop = new CancellationTokenSource();
        Feed = Over(false, Source);
    }

    public Task UntilAsync(Func<bool> condition, string what) => Subscriber.Changed.UntilAsync(condition, what);

    /// <summary>Lets the clock go on until the condition holds.</summary>
    public Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        UntilAsync(
            () =>
            {
                Clock.Advance(TimeSpan.FromMilliseconds(250));
                return condition();
            },
            what
        );

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Kept.Dispose();
    }

    private PlatformFeed Over(bool isDemo, params ISource[] sources) =>
        new(sources, Store, isDemo, Clock, () => 0.5, Log);
}
