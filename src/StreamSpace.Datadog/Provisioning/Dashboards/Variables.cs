using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>The variables at the top of each dashboard: by environment, installation, template and user.</summary>
internal static class Variables
{
    private static readonly string[] OnEverything = ["env", "cluster"];
    private static readonly string[] Names = [.. OnEverything, "template", "user"];

    /// <summary>What chooses a metric's series: a variable whose tag it does not have would empty the chart.</summary>
    public static string ScopeOf(MetricDefinition metric) =>
        string.Join(',', Names.Where(n => OnEverything.Contains(n) || metric.Tags.Contains(n)).Select(n => $"${n}"));

    /// <summary>As a dashboard holds them.</summary>
    /// <param name="cluster">The installation that is shown at first, or null for all.</param>
    public static JsonArray Of(string? cluster) =>
        [
            .. Names.Select(name => new JsonObject
            {
                ["name"] = name,
                ["prefix"] = name,
                ["available_values"] = new JsonArray(),
                ["defaults"] = new JsonArray(name == "cluster" ? cluster ?? "*" : "*"),
            }),
        ];
}
