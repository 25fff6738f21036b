namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>A metric's type as it was sent.</summary>
internal enum MetricType
{
    /// <summary>Sent without one: fits any type but distribution, and shows as "not assigned" (docs/reference/datadog.md §3.6).</summary>
    Unspecified,
    Count,
    Rate,
    Gauge,
    Distribution,
}

internal static class MetricTypes
{
    public static string Name(this MetricType type) =>
        type switch
        {
            MetricType.Count => "count",
            MetricType.Rate => "rate",
            MetricType.Gauge => "gauge",
            MetricType.Distribution => "distribution",
            _ => "",
        };
}

/// <summary>Time in POSIX seconds, and a value.</summary>
internal readonly record struct Sample(long Time, double Value);

/// <summary>
/// One decoded series of a payload, of whichever format, before any rule but the shape was applied. The interval is
/// in seconds, 0 where none was given; the unit empty likewise. Tags are as sent, with <c>host:</c> and other
/// resources among them. Every value of a distribution's point is a sample of its own.
/// </summary>
internal sealed record IncomingSeries(
    string Metric,
    MetricType Type,
    long Interval,
    string Unit,
    IReadOnlyList<string> Tags,
    IReadOnlyList<Sample> Samples
);
