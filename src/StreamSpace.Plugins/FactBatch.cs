namespace StreamSpace.Plugins;

/// <summary>Facts that follow one another in the host's log.</summary>
/// <param name="LogId">
/// Which log it is. A host whose disk was lost begins another one under another id: sequences of two logs have nothing to do
/// with each other.
/// </param>
/// <param name="Facts">One or more, by ascending <see cref="PlatformFact.Sequence"/>.</param>
public sealed record FactBatch(string LogId, IReadOnlyList<PlatformFact> Facts)
{
    /// <summary>True when the demo platform invented them. Such data must never leave the machine.</summary>
    public bool IsDemo { get; init; }
}
