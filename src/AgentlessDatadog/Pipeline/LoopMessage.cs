using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Pipeline;

/// <summary>What comes to the loop: one of these, in the order in which they came.</summary>
internal abstract record LoopMessage
{
    private LoopMessage() { }

    /// <summary>Somebody hands in something to be kept.</summary>
    public sealed record Write(PendingWrite Pending) : LoopMessage;

    /// <summary>Somebody asks for a flush.</summary>
    public sealed record Command(FlushCommand Wanted) : LoopMessage;

    /// <summary>A flush has been encoded, or could not be.</summary>
    public sealed record Encoded(Flush Flush, EncodedFlush? Requests, Exception? Error) : LoopMessage;

    /// <summary>Something that was waited for elsewhere goes on.</summary>
    public sealed record Step(Func<Task> Run) : LoopMessage;
}
