namespace StreamSpace.PluginHost.Plugins;

/// <summary>One thing at a time: whoever has the turn ends it by disposing it.</summary>
#pragma warning disable CA1001 // Somebody may wait until the end; what has no wait handle holds nothing that must be disposed of.
internal sealed class Turn
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _free = new(1);

    /// <summary>Waits for the turn.</summary>
    public async Task<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Taken(_free);
    }

    /// <summary>Waits for the turn; null when it does not come in time.</summary>
    public async Task<IDisposable?> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await _free.WaitAsync(timeout, cancellationToken) ? new Taken(_free) : null;

    private sealed class Taken(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
