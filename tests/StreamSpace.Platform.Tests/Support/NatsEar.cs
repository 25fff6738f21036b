using Microsoft.Extensions.Time.Testing;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources.Nats;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A NATS source in a feed with one subscriber, and all that is to be seen of them, over restarts.</summary>
internal sealed class NatsEar(TimeProvider? clock = null) : IAsyncDisposable
{
    private readonly IPlatformStore _store = new MemoryPlatformStore();
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private CancellationTokenSource _stop = new();
    private NatsSource? _source;
    private PlatformFeed? _feed;
    private FailingStore? _disk;
    private Task _running = Task.CompletedTask;

    public SearchedLog Log { get; } = new();

    public RecordingSubscriber Subscriber { get; } = new();

    public NatsSource Source => _source ?? throw new InvalidOperationException("It does not listen yet.");

    /// <summary>StreamSpace's API as the source tells of it; null while it tells nothing.</summary>
    public SourceStatus? Api => _feed!.Sources.Skip(1).SingleOrDefault();

    /// <summary>How far the source had come when it was kept last.</summary>
    public StreamPosition? Kept =>
        _store.Load().Checkpoints.GetValueOrDefault("nats") is { } checkpoint ? StreamPosition.Parse(checkpoint) : null;

    /// <summary>Begins with a checkpoint.</summary>
    public void Keep(string checkpoint) =>
        _store.Commit(Some.Change(checkpoints: new Dictionary<string, string> { ["nats"] = checkpoint }));

    /// <summary>What the disk waits for from now on.</summary>
    public void Hold(Task hold) => _disk!.Hangs = hold;

    /// <summary>Begins to listen.</summary>
    public async Task ListenAsync(string url, string? user = null, string? password = null)
    {
        _source = new NatsSource(new NatsOptions(url, user, password), _clock, () => 0.1, Log)
        {
            LookEvery = TimeSpan.FromMilliseconds(100),
            MissingTimeout = TimeSpan.FromMilliseconds(200),
        };
        _disk = new FailingStore(_store) { Fails = false };
        _feed = new PlatformFeed([_source], _disk, isDemo: false, _clock, () => 0.1, Log);
        await _feed.SubscribeAsync(Subscriber, CancellationToken.None);
        _running = _feed.RunAsync(_stop.Token);
    }

    /// <summary>Returns once the source is up.</summary>
    public Task UpAsync() => Subscriber.Changed.UntilAsync(() => Source.Status.State == SourceState.Up, "up");

    /// <summary>Returns once so many lives have ended.</summary>
    public Task EndedAsync(int lives) =>
        Subscriber.Changed.UntilAsync(
            () => Subscriber.Facts.OfType<SessionEnded>().Count() >= lives,
            $"{lives} ended lives",
            () => $"{Subscriber.Facts.OfType<SessionEnded>().Count()}; {Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Returns once what is kept has come to the sequence.</summary>
    public Task KeptAsync(ulong sequence) =>
        Subscriber.Changed.UntilAsync(
            () => Kept?.Sequence == sequence,
            $"a checkpoint at {sequence}",
            () => $"{Kept}; {Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Returns once the source says so of itself.</summary>
    public Task SaysAsync(string words) =>
        Subscriber.Changed.UntilAsync(
            () => Source.Status.Detail.Contains(words, StringComparison.Ordinal),
            words,
            () => $"{Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Lets its clock go on until the condition holds.</summary>
    public Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        Subscriber.Changed.UntilAsync(
            () =>
            {
                ((FakeTimeProvider)_clock).Advance(TimeSpan.FromSeconds(1));
                return condition();
            },
            what,
            () => $"{Kept}; {Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Stops listening; it may begin again, with what was kept.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_feed is not null)
        {
            await _feed.DisposeAsync();
        }
        _stop.Dispose();
        _stop = new CancellationTokenSource();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        TestRun.Search.LookAt("the status", $"{_source?.Status}");
        _store.Dispose();
        _stop.Dispose();
    }
}
