using Microsoft.Extensions.Time.Testing;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A NATS source in a watch with one listener, and all that is to be seen of them, over restarts.</summary>
internal sealed class NatsEar(TimeProvider? clock = null) : IAsyncDisposable
{
    private readonly WatchedStore _store = new();
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private CancellationTokenSource _stop = new();
    private NatsSource? _source;
    private PlatformWatch? _watch;
    private Task _running = Task.CompletedTask;

    public SearchedLog Log { get; } = new();

    public RecordingListener Listener { get; } = new();

    public NatsSource Source => _source ?? throw new InvalidOperationException("It does not listen yet.");

    /// <summary>How far the source had come when it was kept last.</summary>
    public StreamPosition? Kept =>
        _store.Load().Checkpoints.GetValueOrDefault("nats") is { } checkpoint ? StreamPosition.Parse(checkpoint) : null;

    /// <summary>Events that are news: no baselines.</summary>
    public IReadOnlyList<PlatformEvent> News => [.. Listener.Batches.Where(b => !b.Baseline).SelectMany(b => b.Events)];

    /// <summary>Begins with a checkpoint.</summary>
    public void Keep(string checkpoint) =>
        _store.Commit(
            new RegistryChange([], [], null),
            new Dictionary<string, string> { ["nats"] = checkpoint },
            OwedChange.None
        );

    /// <summary>Begins to listen; the listener takes nothing before <paramref name="hold"/> is done.</summary>
    public async Task ListenAsync(string url, string? user = null, string? password = null, Task? hold = null)
    {
        _source = new NatsSource(new NatsSourceOptions(url, user, password), _clock, () => 0.1, Log);
        _watch = new PlatformWatch([_source], _store, demo: false, () => false, _clock, () => 0.1, Log);
        await _watch.AttachAsync(
            "listener",
            async (batch, token) =>
            {
                if (!batch.Baseline && hold is not null)
                {
                    await hold;
                }
                await Listener.TakeAsync(batch, token);
            },
            CancellationToken.None
        );
        _running = _watch.RunAsync(_stop.Token);
    }

    /// <summary>Returns once the source is up.</summary>
    public Task UpAsync() => Listener.Changed.UntilAsync(() => Source.Status.State == SourceState.Up, "up");

    /// <summary>Returns once so many lives have ended.</summary>
    public Task EndedAsync(int lives) =>
        Listener.Changed.UntilAsync(
            () => Listener.Events.OfType<SessionEnded>().Count() >= lives,
            $"{lives} ended lives",
            () => $"{Listener.Events.OfType<SessionEnded>().Count()}; {Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Returns once what is kept has come to the sequence.</summary>
    public Task KeptAsync(ulong sequence) =>
        Listener.Changed.UntilAsync(
            () => Kept?.Sequence == sequence,
            $"a checkpoint at {sequence}",
            () => $"{Kept}; {Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Returns once the source says so of itself.</summary>
    public Task SaysAsync(string words) =>
        Listener.Changed.UntilAsync(
            () => Source.Status.Detail.Contains(words, StringComparison.Ordinal),
            words,
            () => $"{Source.Status}; {string.Join('\n', Log.Lines)}"
        );

    /// <summary>Lets its clock go on until the condition holds.</summary>
    public Task AdvanceUntilAsync(Func<bool> condition, string what) =>
        Listener.Changed.UntilAsync(
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
        if (_watch is not null)
        {
            await _watch.DisposeAsync();
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

    // One that a test may look into while the watch writes.
    private sealed class WatchedStore : IRegistryStore
    {
        private readonly Lock _lock = new();
        private readonly IRegistryStore _inner = new MemoryRegistryStore();

        public RegistrySnapshot Load()
        {
            lock (_lock)
            {
                return _inner.Load();
            }
        }

        public void Commit(RegistryChange change, IReadOnlyDictionary<string, string> checkpoints, OwedChange owed)
        {
            lock (_lock)
            {
                _inner.Commit(change, checkpoints, owed);
            }
        }

        public void Dispose() => _inner.Dispose();
    }
}
