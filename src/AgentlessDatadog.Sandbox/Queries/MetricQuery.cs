using System.Globalization;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>How several values become one, in time or across series.</summary>
internal enum Aggregation
{
    Avg,
    Sum,
    Min,
    Max,
    Count,

    /// <summary>Of a distribution alone, and only across series.</summary>
    Percentile,

    /// <summary>Of a distribution alone: how its samples are spread, which is no line.</summary>
    Histogram,
}

/// <summary>Which values <c>count(v: v&lt;=60):</c> counts.</summary>
internal readonly record struct ValueCondition(string Comparator, double Bound)
{
    public bool Holds(double value) => Comparison.Holds(value, Comparator, Bound);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"v: v{Comparator}{Bound}");
}

/// <summary>What <c>.as_count()</c> and <c>.as_rate()</c> ask for.</summary>
internal enum Reading
{
    AsStored,
    AsCount,
    AsRate,
}

/// <summary>
/// One query, as in <c>sum:streamspace.session.created{env:prod} by {template}.as_count().rollup(sum, 60)</c>. Without
/// a rollup method the metric type's own holds; without seconds, what fits the span.
/// </summary>
internal sealed record MetricQuery(
    Aggregation Space,
    string Metric,
    string ScopeText,
    Scope Scope,
    IReadOnlyList<string> GroupBy,
    Reading Reading,
    Aggregation? RollupMethod,
    int? RollupSeconds
)
{
    /// <summary>From 0 to 100, with <see cref="Aggregation.Percentile"/>.</summary>
    public double Percentile { get; init; }

    /// <summary>With <see cref="Aggregation.Count"/>: which samples of a distribution count; null for all of them.</summary>
    public ValueCondition? Counted { get; init; }

    /// <summary>True for what Datadog answers of a distribution only while its percentiles are switched on.</summary>
    public bool NeedsPercentiles => Space == Aggregation.Percentile || Counted is not null;

    /// <summary>The word before the metric's name, as it is written.</summary>
    public string SpaceText =>
        Space == Aggregation.Percentile ? string.Create(CultureInfo.InvariantCulture, $"p{Percentile}")
        : Counted is { } condition ? $"count({condition})"
        : Space.Name();
}

internal static class Aggregations
{
    public static string Name(this Aggregation aggregation) =>
        aggregation switch
        {
            Aggregation.Sum => "sum",
            Aggregation.Min => "min",
            Aggregation.Max => "max",
            Aggregation.Count => "count",
            Aggregation.Histogram => "histogram",
            _ => "avg",
        };
}
