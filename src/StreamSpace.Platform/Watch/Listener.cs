using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>One that takes batches, until it is disposed.</summary>
internal sealed class Listener(
    string name,
    Func<PlatformBatch, CancellationToken, ValueTask> take,
    Func<Listener, ValueTask> detach
) : IAsyncDisposable
{
    private readonly CancellationTokenSource _detached = new();

    public string Name => name;

    public Func<PlatformBatch, CancellationToken, ValueTask> Take => take;

    /// <summary>Fires when no answer of the listener is waited for any more.</summary>
    public CancellationToken Detached => _detached.Token;

    public async ValueTask DisposeAsync()
    {
        await _detached.CancelAsync();
        await detach(this);
    }
}
