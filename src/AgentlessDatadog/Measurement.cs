namespace AgentlessDatadog;

/// <summary>What a metric is at Datadog (docs/reference/datadog.md §3.6). A name never changes its type.</summary>
public enum MetricType
{
    /// <summary>A state at a time; the last value of a flush wins.</summary>
    Gauge,

    /// <summary>How many happened; the values of a flush are added up.</summary>
    Count,

    /// <summary>How many happen each second; the last value of a flush wins.</summary>
    Rate,

    /// <summary>Values that Datadog itself aggregates; all of them are sent.</summary>
    Distribution,
}

/// <summary>
/// One measured value that must not be lost: the pipeline journals it before it says that it is kept.
/// </summary>
/// <param name="Metric">Name: a letter, then up to 199 ASCII letters, digits, dots and underscores.</param>
/// <param name="Type">What kind of metric the name is.</param>
/// <param name="Value">A finite number.</param>
/// <param name="Tags">Tags of this value alone; the pipeline adds its own to every series.</param>
public sealed record Measurement(string Metric, MetricType Type, double Value, IReadOnlyList<string> Tags) : Signal
{
    /// <summary>A unit from Datadog's list (docs/reference/datadog.md §3.8), or null for none.</summary>
    public string? Unit { get; init; }

    /// <summary>
    /// The second that a gauge or a distribution value is booked at, at most 1 h ago and 10 min ahead. Null, and always
    /// for counts and rates: the second of the flush.
    /// </summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>Whether it counts as a unit of its own in the ledger, or only as part of the point it ends in.</summary>
    public bool IsItem { get; init; }
}
