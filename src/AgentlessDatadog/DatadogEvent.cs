namespace AgentlessDatadog;

/// <summary>How Datadog colours an event.</summary>
public enum AlertType
{
    /// <summary>Something to know.</summary>
    Info,

    /// <summary>Something went well.</summary>
    Success,

    /// <summary>Something may go wrong.</summary>
    Warning,

    /// <summary>Something went wrong.</summary>
    Error,
}

/// <summary>An entry for Datadog's event stream, sent by itself (docs/reference/datadog.md §4.1).</summary>
/// <param name="Title">Required; what follows its 500th character is cut off.</param>
/// <param name="Text">Plain text or Markdown; what follows its 4 000th character is cut off.</param>
/// <param name="At">When it happened; Datadog takes the last 18 h.</param>
public sealed record DatadogEvent(EventText Title, EventText Text, DateTimeOffset At) : Signal
{
    /// <summary>Tags of this event alone; the pipeline adds its own.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Its colour.</summary>
    public AlertType Alert { get; init; }

    /// <summary>Whether the event stream may leave it out at first.</summary>
    public bool LowPriority { get; init; }

    /// <summary>
    /// Events with the same key are shown together. Of one beyond 100 characters the end is replaced by a hash of it, so
    /// that two long ones stay two.
    /// </summary>
    public EventText? AggregationKey { get; init; }

    /// <summary>Where it came from, as Datadog's <c>source_type_name</c>.</summary>
    public string? SourceType { get; init; }

    /// <summary>
    /// What the limit of 60 a minute goes by: what is beyond it is told in one summary event. Null: no limit.
    /// </summary>
    public string? Kind { get; init; }
}
