using StreamSpace.Platform.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Feed;

/// <summary>One copy of a plugin, as a subscriber: the copy after it has a subscription of its own.</summary>
internal sealed class PluginSubscriber(HostedPlugin plugin, PluginInstance instance) : ISubscriber
{
    public string Name => plugin.Name;

    public ValueTask ApplyAsync(PlatformState state, CancellationToken cancellationToken) =>
        plugin.ApplyAsync(instance, state, cancellationToken);

    public ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken) =>
        plugin.HandleAsync(instance, batch, cancellationToken);
}
