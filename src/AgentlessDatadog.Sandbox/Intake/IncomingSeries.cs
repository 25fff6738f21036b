namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>A metric's type as it was sent.</summary>
internal enum IntakeMetricType
{
    /// <summary>Sent without one: fits any type but distribution, and shows as "not assigned" (docs/reference/datadog.md §3.6).</summary>
    Unspecified,
    Count,
    Rate,
    Gauge,
    Distribution,
}

internal static class IntakeMetricTypes
{
    public static string Name(this IntakeMetricType type) =>
        type switch
        {
            IntakeMetricType.Count => "count",
            IntakeMetricType.Rate => "rate",
            IntakeMetricType.Gauge => "gauge",
            IntakeMetricType.Distribution => "distribution",
            _ => "",
        };
}

/// <summary>Time in POSIX seconds, and a value.</summary>
internal readonly record struct MetricPoint(long Time, double Value);

/// <summary>
/// One decoded series of a payload, of whichever format, before any rule but the shape was applied. The interval is
/// in seconds, 0 where none was given; the unit empty likewise. Tags are as sent, with <c>host:</c> and other
/// resources among them. Every value of a distribution's point is a sample of its own.
/// </summary>
internal sealed record IncomingSeries(
    string Metric,
    IntakeMetricType Type,
    long Interval,
    string Unit,
    IReadOnlyList<string> Tags,
    IReadOnlyList<MetricPoint> Samples
)
{
    /// <summary>True for what the intake itself counts: its points are added to those of their second, not put in their place.</summary>
    public bool AddsUp { get; init; }
}
