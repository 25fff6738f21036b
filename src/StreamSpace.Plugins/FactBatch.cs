namespace StreamSpace.Plugins;

/// <summary>Facts that follow one another in the host's log.</summary>
/// <param name="LogId">
/// Which log it is: each run of a host begins one under an id of its own, so that a file that was lost, or put back from an
/// older copy, gives no sequence of a log twice. What one run left is told under its own id before that of the next, and may,
/// after a crash, be told once more: sequences are compared within their log.
/// </param>
/// <param name="Facts">One or more, by ascending <see cref="PlatformFact.Sequence"/>.</param>
public sealed record FactBatch(string LogId, IReadOnlyList<PlatformFact> Facts)
{
    /// <summary>True when the demo platform invented them. Such data must never leave the machine.</summary>
    public bool IsDemo { get; init; }
}
