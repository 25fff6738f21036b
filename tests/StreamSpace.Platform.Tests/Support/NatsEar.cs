using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A NATS source in a watch with one listener, and all that is to be seen of them.</summary>
internal sealed class NatsEar : IAsyncDisposable
{
    private readonly MemoryRegistryStore _store = new();
    private readonly CancellationTokenSource _stop = new();
    private NatsSource? _source;
    private PlatformWatch? _watch;
    private Task _running = Task.CompletedTask;

    public LogLines Log { get; } = new();

    public RecordingListener Listener { get; } = new();

    public NatsSource Source => _source ?? throw new InvalidOperationException("It does not listen yet.");

    /// <summary>Begins to listen; the listener takes nothing before <paramref name="hold"/> is done.</summary>
    public async Task ListenAsync(string url, string? user = null, string? password = null, Task? hold = null)
    {
        var clock = TimeProvider.System;
        _source = new NatsSource(new NatsSourceOptions(url, user, password), clock, () => 0.1, Log);
        _watch = new PlatformWatch([_source], _store, demo: false, clock, () => 0.1, Log);
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

    /// <summary>Stops listening.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_watch is not null)
        {
            await _watch.DisposeAsync();
        }
        _store.Dispose();
        _stop.Dispose();
    }
}
