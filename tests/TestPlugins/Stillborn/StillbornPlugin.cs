using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace Stillborn;

/// <summary>Never comes back from being made.</summary>
public sealed class StillbornPlugin : IPlugin
{
    public StillbornPlugin()
    {
        using var never = new ManualResetEventSlim();
        never.Wait();
    }

    public JsonObject Config => [];

    public ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken) => default;

    public ValueTask<IReadOnlyList<ConfigError>> ConfigureAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    ) => new([]);

    public ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken) => default;

    public ValueTask UnloadAsync(CancellationToken cancellationToken) => default;
}
