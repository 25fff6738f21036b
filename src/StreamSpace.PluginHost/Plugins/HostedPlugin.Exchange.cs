using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

// How one copy of a plugin takes the place of another.
internal sealed partial class HostedPlugin
{
    // What a collectible context needs at most until it is gone, when nothing holds it (docs/reference/dotnet.md §1).
    private const int Collections = 4;

    private readonly List<WeakReference> _earlier = [];

    // Ends once every copy that was let go of has closed what it held.
    private Task _closed = Task.CompletedTask;

    /// <summary>One sentence when earlier copies are still in memory, which only a restart frees; else null.</summary>
    public string? RestartWouldFree
    {
        get
        {
            lock (_earlier)
            {
                _earlier.RemoveAll(copy => !copy.IsAlive);
                return _earlier.Count == 0
                    ? null
                    : $"{_earlier.Count} earlier copies are still in memory; a restart of this process frees them.";
            }
        }
    }

    /// <summary>
    /// Lets the plugin go, does <paramref name="swap"/>, and loads what lies in the folder then. What happens meanwhile
    /// waits, and is for the new copy. A swap that throws leaves the old files: these are loaded again.
    /// </summary>
    public async Task ExchangeAsync(
        Action swap,
        Func<string, bool> isTaken,
        TimeSpan unloadWithin,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            using (var deadline = new CancellationTokenSource(unloadWithin, host.Clock))
            {
                await UnloadAsync(deadline.Token);
            }
            try
            {
                swap();
            }
            finally
            {
                (State, Detail, Faults) = (PluginState.Loading, "", []);
                Find(isTaken);
                if (State is PluginState.Loading)
                {
                    await LoadCopyAsync(cancellationToken);
                }
                _isFailing = false;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sees to it that what was let go of leaves the memory, where nothing holds it.</summary>
    public void Sweep()
    {
        for (var i = 0; i < Collections && RestartWouldFree is not null; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    // A constructor may hang as well as any other call.
    private async Task<IPlugin> MakeAsync(PluginLoadContext context, PluginManifest manifest) =>
        await WithinAsync(() => Task.FromResult(PluginFolder.MakePlugin(context, manifest)), "being made");

    // A copy is let go of once: whoever comes later, of a copy before this one, finds nothing to do.
    private void LetGo(PluginInstance? instance)
    {
        if (instance is null || Interlocked.CompareExchange(ref _instance, null, instance) != instance)
        {
            return;
        }
        _ = instance.RefuseAsync();
        lock (_earlier)
        {
            _earlier.Add(new WeakReference(instance.Context));
            _closed = Task.WhenAll(_closed, CloseAsync(instance));
        }
    }

    private async Task CloseAsync(PluginInstance instance)
    {
        try
        {
            await instance.DisposeAsync();
        }
        catch (Exception e)
        {
            _log?.Logger.LogError(e, "{Plugin} failed to close what it held.", Name);
        }
    }

    private Task<bool> IsClosedAsync() => EndsWithinAsync(_closed, CloseTimeout);
}
