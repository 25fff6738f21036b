using StreamSpace.Platform;

namespace StreamSpace.PluginHost;

/// <summary>One watch, its store, and the plugins that listen to it, from the first listener to the end.</summary>
internal sealed class Hearing(bool demo, PlatformWatch watch, IRegistryStore store, TimeProvider clock, ILogger logger)
    : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<HostedPlugin, IAsyncDisposable> _listeners = [];
    private Task? _run;

    public bool Demo => demo;

    public PlatformWatch Watch => watch;

    public IEnumerable<HostedPlugin> Listeners => _listeners.Keys;

    /// <summary>Why the watch ended by itself, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>Lets <paramref name="plugin"/> listen, unless it does; gives it a baseline when it needs one.</summary>
    public async Task AttachAsync(HostedPlugin plugin, CancellationToken cancellationToken)
    {
        var listens = _listeners.TryGetValue(plugin, out var listener);
        if (listens && !plugin.NeedsBaseline)
        {
            return;
        }
        // Another plugin that keeps failing at a batch holds the watch: what cannot begin now is tried again.
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            if (listens)
            {
                await watch.RenewAsync(listener!, either.Token);
            }
            else
            {
                _listeners[plugin] = await watch.AttachAsync(plugin.Name, plugin.HandleAsync, either.Token);
            }
        }
        catch (Exception e)
        {
            // Also when nobody waits for it any more: it may have had its baseline, but not all that is owed to it.
            var why = e is OperationCanceledException ? "another plugin keeps it waiting" : e.Message;
            plugin.Deaf = $"{plugin.Name} hears nothing: it could not take its first batch ({why}).";
            logger.LogError("{Plugin} hears nothing: it could not take its first batch ({Why}).", plugin.Name, why);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Lets no plugin listen but <paramref name="running"/>; returns once none of the others is at a batch.</summary>
    public async Task KeepOnlyAsync(IReadOnlyCollection<HostedPlugin> running)
    {
        foreach (var (plugin, listener) in _listeners.Where(l => !running.Contains(l.Key)).ToList())
        {
            _listeners.Remove(plugin);
            await listener.DisposeAsync();
        }
    }

    /// <summary>Starts watching, unless it runs. To be called with the listeners attached: none misses the beginning.</summary>
    public void Run() => _run ??= RunAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners.Values)
        {
            await listener.DisposeAsync();
        }
        await _stop.CancelAsync();
        await (_run ?? Task.CompletedTask);
        await watch.DisposeAsync();
        store.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await watch.RunAsync(_stop.Token);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            Fault = e.Message;
            logger.LogError(e, "The watch on the platform ended.");
        }
        catch (OperationCanceledException)
        {
            // Asked to.
        }
    }
}
