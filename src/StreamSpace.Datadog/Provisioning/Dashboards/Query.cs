using System.Text.Json.Nodes;
using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>A question about one metric, in Datadog's query language.</summary>
/// <param name="Aggregation">How series become one, as in <c>sum</c> or <c>p95</c>.</param>
/// <param name="Metric">What is asked about.</param>
/// <param name="By">Keys of the tags that it is told apart by.</param>
internal sealed record Query(string Aggregation, MetricDefinition Metric, params IReadOnlyList<string> By)
{
    /// <summary>
    /// How the points of the time shown become one figure: a count's sum, a percentile over all of it, the last value of
    /// anything else.
    /// </summary>
    public string Reduction { get; init; } =
        Metric.Type is MetricType.Count ? "sum"
        : Aggregation.StartsWith('p') ? "percentile"
        : Metric.Type is MetricType.Distribution ? "avg"
        : "last";

    /// <summary>The query, of the series that <paramref name="scope"/> lets through, as in <c>*</c>.</summary>
    public string In(string scope) =>
        $"{Aggregation}:{Metric.Name}{{{scope}}}"
        + (By.Count > 0 ? $" by {{{string.Join(',', By)}}}" : "")
        + (
            Metric.Type is MetricType.Count || Aggregation.StartsWith("count", StringComparison.Ordinal)
                ? ".as_count()"
                : ""
        );

    /// <summary>As a dashboard holds it, its series chosen by the variables whose tags it has.</summary>
    public JsonObject Named(string name, bool isFigure)
    {
        var json = new JsonObject
        {
            ["data_source"] = "metrics",
            ["name"] = name,
            ["query"] = In(Variables.ScopeOf(Metric)),
        };
        if (isFigure)
        {
            json["aggregator"] = Reduction;
        }
        return json;
    }
}
