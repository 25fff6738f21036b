using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>
/// What a metric monitor watches, as in <c>avg(last_5m):avg:cpu{env:prod} by {host} > 90</c>.
/// </summary>
/// <param name="OverTime">How the values of the window become one.</param>
/// <param name="Window">How far back it looks.</param>
/// <param name="Watched">What is compared.</param>
/// <param name="Comparator">How.</param>
/// <param name="Threshold">With what.</param>
internal sealed record MonitorQuery(
    Aggregation OverTime,
    MonitorWindow Window,
    Expression Watched,
    string Comparator,
    double Threshold
)
{
    /// <summary>The keys that its queries are grouped by.</summary>
    public IReadOnlyList<string> GroupBy => [.. Watched.Queries().SelectMany(query => query.GroupBy).Distinct()];
}
