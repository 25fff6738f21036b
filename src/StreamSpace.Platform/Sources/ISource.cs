using System.Threading.Channels;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources;

/// <summary>What a source hands on at once.</summary>
/// <param name="Source">The <see cref="ISource.Name"/> of the source.</param>
/// <param name="Observations">What it saw, in its own order.</param>
/// <param name="Checkpoint">
/// Where the source has come to with these observations, in its own words; kept together with what they mean, and given back
/// at the next start. Null for a source that cannot look back.
/// </param>
public sealed record ObservationBatch(string Source, IReadOnlyList<Observation> Observations, string? Checkpoint = null)
{
    /// <summary>
    /// Completed once it was tried to keep what the observations mean, with whether it is on disk; null when nobody waits.
    /// </summary>
    public TaskCompletionSource<bool>? Durable { get; init; }
}

/// <summary>Something that watches one side of a running platform.</summary>
public interface ISource
{
    /// <summary>A short word, unique among the sources of a feed, the same over restarts.</summary>
    string Name { get; }

    /// <summary>How it stands now. Read from any thread.</summary>
    SourceStatus Status { get; }

    /// <summary>
    /// True while it tells piece by piece what it had missed, from before the first piece until after the last. Read from
    /// any thread.
    /// </summary>
    bool IsCatchingUp => false;

    /// <summary>
    /// Watches until <paramref name="cancellationToken"/> fires. A far end that is away is waited for, not
    /// thrown; <paramref name="output"/> makes the source wait when the disk is slow.
    /// </summary>
    /// <param name="output">Where batches go.</param>
    /// <param name="checkpoint">The last one kept, or null at the first start.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    Task RunAsync(ChannelWriter<ObservationBatch> output, string? checkpoint, CancellationToken cancellationToken);
}
