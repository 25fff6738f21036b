using StreamSpace.Plugins;

namespace StreamSpace.Platform.Feed;

/// <summary>Whoever is told what is true and what happens on a platform. One call at a time.</summary>
public interface ISubscriber
{
    /// <summary>Names it in the log of facts, the same over restarts.</summary>
    string Name { get; }

    /// <summary>Takes what is true now: first a snapshot, then what changes. When it throws, it comes again with what is newer.</summary>
    ValueTask ApplyAsync(PlatformState state, CancellationToken cancellationToken);

    /// <summary>Takes facts; returning means that it has them on its disk. When it throws, they come again.</summary>
    ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken);
}
