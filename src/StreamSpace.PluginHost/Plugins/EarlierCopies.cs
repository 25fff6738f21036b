namespace StreamSpace.PluginHost.Plugins;

/// <summary>The copies of one plugin that gave way: whether they have closed their files, and have left the memory.</summary>
internal sealed class EarlierCopies(TimeProvider clock)
{
    // What a collectible context needs at most until it is gone, when nothing holds it (docs/reference/dotnet.md §1).
    private const int Collections = 4;

    private readonly List<WeakReference> _contexts = [];
    private Task _closed = Task.CompletedTask;

    /// <summary>One sentence when some are still in memory, which only a restart frees; else null.</summary>
    public string? RestartWouldFree
    {
        get
        {
            lock (_contexts)
            {
                _contexts.RemoveAll(context => !context.IsAlive);
                return _contexts.Count == 0
                    ? null
                    : $"{_contexts.Count} earlier copies are still in memory; a restart of this process frees them.";
            }
        }
    }

    /// <summary>Ends a copy, whatever it is at.</summary>
    /// <param name="instance">Which.</param>
    /// <param name="failed">Called when it fails to close what it held.</param>
    public void Add(PluginInstance instance, Action<Exception> failed)
    {
        _ = instance.RefuseAsync();
        lock (_contexts)
        {
            _contexts.Add(new WeakReference(instance.Context));
            _closed = Task.WhenAll(_closed, CloseAsync(instance, failed));
        }
    }

    /// <summary>Whether all have closed their files, or do so within <see cref="PluginInstance.CloseTimeout"/>.</summary>
    public async Task<bool> AreClosedAsync()
    {
        var closed = _closed;
        await closed
            .WaitAsync(PluginInstance.CloseTimeout, clock)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return closed.IsCompleted;
    }

    /// <summary>Sees to it that those which nothing holds leave the memory.</summary>
    public void CollectUnloaded()
    {
        for (var i = 0; i < Collections && RestartWouldFree is not null; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static async Task CloseAsync(PluginInstance instance, Action<Exception> failed)
    {
        try
        {
            await instance.DisposeAsync();
        }
        catch (Exception e)
        {
            failed(e);
        }
    }
}
