namespace AgentlessDatadog.Pipeline;

/// <summary>What one caller hands in, and its wait for the commit.</summary>
internal sealed record PendingWrite(IReadOnlyList<Measurement> Measurements, IReadOnlyList<DatadogEvent> Events)
{
    /// <summary>Holds nothing, and is handed to the store all the same, so that every stage has something to do.</summary>
    public bool IsCanary => Measurements.Count + Events.Count == 0;

    public static PendingWrite Canary() => new([], []);

    /// <summary>What of a stream it is, when it may come again, perhaps in other pieces.</summary>
    public StreamRange? Range { get; init; }

    /// <summary>Names the call, and its contents, when it may come again.</summary>
    public (string Key, string Contents)? Call { get; init; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
