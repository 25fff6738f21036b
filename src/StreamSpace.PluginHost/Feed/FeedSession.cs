using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Store;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Feed;

/// <summary>One feed, its store, and the plugins that are subscribed to it, from its beginning to its end.</summary>
internal sealed class FeedSession(bool isDemo, PlatformFeed feed, IPlatformStore store, ILogger logger)
    : IAsyncDisposable
{
    // What is acknowledged and not told by then is told after the next start.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<PluginSlot, (PluginInstance Instance, Subscription Subscription)> _subscribed = [];
    private Task? _run;

    public bool IsDemo => isDemo;

    public PlatformFeed Feed => feed;

    /// <summary>Why the feed ended by itself, or null.</summary>
    public string? Error { get; private set; }

    /// <summary>
    /// Subscribes the plugins that run, each copy once, and ends the subscriptions of copies that do no more. Returns once
    /// none of these is at a call.
    /// </summary>
    public async Task SettleAsync(IReadOnlyList<PluginSlot> plugins, CancellationToken cancellationToken)
    {
        foreach (var (plugin, (instance, subscription)) in _subscribed.ToList())
        {
            if (subscription.IsEnded || !plugins.Contains(plugin) || !IsRunning(plugin) || plugin.Instance != instance)
            {
                await EndAsync(plugin, subscription);
            }
        }
        // One that is off or uninstalled is told nothing of what happens meanwhile; one that fails will be.
        feed.RemoveCursorsBut(
            plugins
                .Where(p => p.State.Phase is not PluginPhase.Disabled)
                .Select(p => p.Name)
                .ToHashSet(StringComparer.Ordinal)
        );
        foreach (var plugin in plugins.Where(p => IsRunning(p) && !_subscribed.ContainsKey(p)))
        {
            if (plugin.Instance is { } instance)
            {
                plugin.Subscription = await feed.SubscribeAsync(
                    new PluginSubscription(plugin, instance),
                    cancellationToken
                );
                _subscribed.Add(plugin, (instance, plugin.Subscription));
            }
        }
        _run ??= RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await (_run ?? Task.CompletedTask);
        foreach (var (plugin, (instance, subscription)) in _subscribed.ToList())
        {
            if (isDemo)
            {
                await EndAsync(plugin, subscription);
                await DiscardInventedAsync(plugin, instance);
            }
            else
            {
                await subscription.EndAsync(EndTimeout);
                await EndAsync(plugin, subscription);
            }
        }
        await feed.DisposeAsync();
        store.Dispose();
        _stop.Dispose();
    }

    private static bool IsRunning(PluginSlot plugin) => plugin.State.Phase is PluginPhase.Running;

    private async Task EndAsync(PluginSlot plugin, Subscription subscription)
    {
        _subscribed.Remove(plugin);
        plugin.Subscription = null;
        await subscription.DisposeAsync();
    }

    // What was invented is not to be remembered when real data may come.
    private async Task DiscardInventedAsync(PluginSlot plugin, PluginInstance instance)
    {
        try
        {
            await new PluginSubscription(plugin, instance).ApplyAsync(
                new PlatformState { IsSnapshot = true },
                CancellationToken.None
            );
        }
        catch (SubscriberGoneException)
        {
            // It remembers nothing.
        }
        catch (Exception e)
        {
            logger.LogError(e, "{Plugin} did not take the end of the demo.", plugin.Name);
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await feed.RunAsync(_stop.Token);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            Error = e.Message;
            logger.LogError(e, "The watch on the platform ended.");
        }
        catch (OperationCanceledException)
        {
            // Asked to.
        }
    }
}
