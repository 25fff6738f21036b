namespace StreamSpace.Plugins;

/// <summary>
/// What is true on the platform: all of it, or what has changed since the state before. Of what changed twice only the last
/// is told, so that a plugin that is slow is never behind.
/// </summary>
public sealed record PlatformState
{
    /// <summary>
    /// True when it is all there is: what a plugin held of sessions and users before is to be forgotten. The first state
    /// after a load is one.
    /// </summary>
    public bool IsSnapshot { get; init; }

    /// <summary>
    /// Each life once, as it is now: those that are open (of a snapshot), or that changed. One that has ended or lapsed is told
    /// so, and never again.
    /// </summary>
    public IReadOnlyList<Session> Sessions { get; init; } = [];

    /// <summary>What sessions use, as far as it was measured anew; of sessions that this or an earlier state told of.</summary>
    public IReadOnlyList<SessionUsage> Usages { get; init; } = [];

    /// <summary>How many user accounts there are, or null when that is not known, or not news.</summary>
    public int? Users { get; init; }

    /// <summary>
    /// The agents of StreamSpace 2 that may make sessions, or null when that is not known, or not news; null for ever where
    /// there are none by design, as in version 1.
    /// </summary>
    public IReadOnlyList<PlatformAgent>? Agents { get; init; }

    /// <summary>
    /// True from the state on with which every source has told all that it saw at its first look: what is known is then
    /// whole. Never true while a source that is configured is away since the start.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>
    /// True while a source tells piece by piece what it had missed: what is open may be of different moments, so that
    /// together it never was.
    /// </summary>
    public bool IsCatchingUp { get; init; }

    /// <summary>True when the demo platform invented it. Such data must never leave the machine.</summary>
    public bool IsDemo { get; init; }
}

/// <summary>What a session uses. A part that was not measured is null.</summary>
/// <param name="LifeId"><see cref="Session.LifeId"/> of the session.</param>
/// <param name="At">When it was measured, by the platform's clock.</param>
/// <param name="CpuPercent">0 to 100 of the session's CPU limit.</param>
/// <param name="MemoryBytes">Bytes of memory in use.</param>
/// <param name="StorageBytes">Bytes of the home volume in use.</param>
public sealed record SessionUsage(
    string LifeId,
    DateTimeOffset At,
    double? CpuPercent,
    double? MemoryBytes,
    double? StorageBytes
);
