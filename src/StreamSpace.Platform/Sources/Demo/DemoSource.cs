using System.Threading.Channels;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>Invents a believable working day.</summary>
public sealed class DemoSource(int seed, TimeProvider clock) : ISource
{
    /// <inheritdoc/>
    public string Name => "demo";

    /// <inheritdoc/>
    public SourceStatus Status => new(Name, SourceState.Up, $"Seed {seed}.", clock.GetUtcNow());

    /// <inheritdoc/>
    public Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    ) => Task.CompletedTask;
}
