namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>How several values become one, in time or across series.</summary>
internal enum Aggregation
{
    Avg,
    Sum,
    Min,
    Max,
    Count,
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
);
