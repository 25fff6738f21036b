using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Pipeline;

/// <summary>A flush that somebody asked for, and what follows it: other options, or the end of the loop.</summary>
internal sealed record Command(TelemetryOptions? Next, bool IsLast)
{
    /// <summary>Left to the next flush when there is no free second for it.</summary>
    public bool MayBeSkipped { get; init; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes those that one flush serves: any that want nothing but a flush, and one that wants more.</summary>
    public static List<Command> TakeShared(Queue<Command> waiting, bool changes)
    {
        List<Command> commands = [waiting.Dequeue()];
        while (commands[^1] is { Next: null, IsLast: false } && waiting.TryPeek(out var next))
        {
            if (next.Next is not null && !changes)
                break;
            commands.Add(waiting.Dequeue());
        }
        return commands;
    }
}

/// <summary>A flush on its way into the store.</summary>
/// <param name="Commands">Who waits for it; only the last of them may have more in mind than the flush.</param>
/// <param name="Snapshot">What it took.</param>
/// <param name="Time">When it was.</param>
/// <param name="Sequence">The last sequence of the journal that is in it.</param>
/// <param name="Summaries">Events that stand for those that were folded, and one for what was lost.</param>
/// <param name="Folded">How many events are in these summaries.</param>
/// <param name="Told">What that one tells, with units below zero.</param>
internal sealed record Flush(
    List<Command> Commands,
    FlushSnapshot Snapshot,
    FlushTime Time,
    long Sequence,
    List<DatadogEvent> Summaries,
    long Folded,
    IReadOnlyList<Loss> Told
)
{
    public bool IsLast => Commands is [.., { IsLast: true }];

    public TelemetryOptions? Next => Commands is [.., var last] ? last.Next : null;

    /// <summary>Whether all that it takes of the journal is in a flush before it, and it tells nothing.</summary>
    public bool TakesNothingBeyond(long sequence) => Sequence == sequence && Summaries.Count == 0;
}

/// <summary>What became of the encoding of a flush: requests or an error.</summary>
internal sealed record Encoded(Flush Flush, EncodedFlush? Requests, Exception? Error)
{
    public static Encoded Of(Flush flush, TelemetryOptions options, FlushEncoder encoder)
    {
        try
        {
            return new Encoded(flush, encoder.Encode(flush.Snapshot, options), null);
        }
        // The loop waits for an answer: whatever went wrong is one.
        catch (Exception error)
        {
            return new Encoded(flush, null, error);
        }
    }
}
