using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Pipeline;

/// <summary>What a flush took, to be encoded. Nothing changes it until it is committed or restored.</summary>
/// <param name="Second">Unix second that its points carry.</param>
/// <param name="Interval">Seconds since the flush before it.</param>
/// <param name="Series">All series; those without a value are passed over.</param>
/// <param name="Timed">Points with a second of their own, oldest first.</param>
/// <param name="Signals">Spans and log entries, in order of arrival.</param>
/// <param name="GlobalBlock">The tags on every series, as protobuf fields.</param>
internal sealed record FlushSnapshot(
    long Second,
    long Interval,
    ReadOnlyMemory<Series> Series,
    List<TimedPoint> Timed,
    List<EncodedSignal> Signals,
    byte[] GlobalBlock
)
{
    /// <summary>Whether the store has it, so that it must not come back.</summary>
    public bool IsDurable { get; set; }
}
