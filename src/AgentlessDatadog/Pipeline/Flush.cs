using AgentlessDatadog.Store;

namespace AgentlessDatadog.Pipeline;

/// <summary>A flush on its way into the store.</summary>
/// <param name="Commands">Who waits for it; only the last of them may have more in mind than the flush.</param>
/// <param name="Snapshot">What it took.</param>
/// <param name="Time">When it was.</param>
/// <param name="Sequence">The last sequence of the journal that is in it.</param>
/// <param name="Summaries">Events that stand for those that were folded, and one for what was lost.</param>
/// <param name="Folded">How many events are in these summaries.</param>
/// <param name="Reported">What that one tells, with units below zero.</param>
internal sealed record Flush(
    List<FlushCommand> Commands,
    FlushSnapshot Snapshot,
    FlushTime Time,
    long Sequence,
    List<DatadogEvent> Summaries,
    long Folded,
    IReadOnlyList<Loss> Reported
)
{
    public bool IsLast => Commands is [.., { IsLast: true }];

    public TelemetryOptions? Next => Commands is [.., var last] ? last.Next : null;
}
