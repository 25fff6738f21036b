namespace AgentlessDatadog.Pipeline;

/// <summary>A flush that somebody asked for, and what follows it: other options, or the end of the loop.</summary>
internal sealed record FlushCommand(TelemetryOptions? Next, bool IsLast)
{
    /// <summary>Left to the next flush when there is no free second for it.</summary>
    public bool MayBeSkipped { get; init; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes those that one flush serves: any that want nothing but a flush, and one that wants more.</summary>
    public static List<FlushCommand> TakeShared(Queue<FlushCommand> waiting, bool changes)
    {
        List<FlushCommand> commands = [waiting.Dequeue()];
        while (commands[^1] is { Next: null, IsLast: false } && waiting.TryPeek(out var next))
        {
            if (next.Next is not null && !changes)
            {
                break;
            }

            commands.Add(waiting.Dequeue());
        }
        return commands;
    }
}
