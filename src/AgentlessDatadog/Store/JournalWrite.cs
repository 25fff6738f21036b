namespace AgentlessDatadog.Store;

/// <summary>A write to the store on its way.</summary>
/// <param name="Write">The write.</param>
/// <param name="WhenDurable">What follows once it is durable; it is told whether that is late.</param>
internal sealed record JournalWrite(Func<ITelemetryStore, ValueTask> Write, Action<bool> WhenDurable)
{
    /// <summary>What it appends; null: it is a flush.</summary>
    public JournalAppend? Append { get; init; }

    /// <summary>How it failed after the store had not answered in time; null: it is not known to have.</summary>
    public Task? Ended { get; set; }
}
