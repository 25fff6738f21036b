namespace StreamSpace.Plugins;

/// <summary>Platform events in the order in which they became known.</summary>
/// <param name="Events">Zero or more events.</param>
public sealed record PlatformBatch(IReadOnlyList<PlatformEvent> Events)
{
    /// <summary>
    /// True when <see cref="Events"/> is all that is open now: what a plugin held about sessions and users
    /// before is to be forgotten. The first batch after a load is one.
    /// </summary>
    public bool Baseline { get; init; }

    /// <summary>
    /// True from the batch on with which every source has told all that it saw at its first look: what is known is then
    /// whole. It may be without events. Never true while a source that is configured is away since the start.
    /// </summary>
    public bool AllSeen { get; init; }

    /// <summary>
    /// True while a source tells piece by piece what it had missed: each event is true, but what is open may be of
    /// different moments, so that together it never was. The first batch without it ends that; it may be without events.
    /// </summary>
    public bool CatchingUp { get; init; }

    /// <summary>True when the events are invented by the demo platform. Such data must never leave the machine.</summary>
    public bool Demo { get; init; }
}
