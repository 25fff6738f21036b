using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Datadog.Provisioning.Dashboards;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>Everything that is brought to Datadog beside the data: metadata, percentiles, SLOs, monitors, dashboards, the service.</summary>
internal static class AssetCatalog
{
    /// <summary>Those of one kind, in the order in which they are made.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="installation">Whose.</param>
    /// <param name="sloId">Gives an SLO's id at Datadog by its key, or null: a dashboard shows it by that.</param>
    public static IReadOnlyList<Asset> Of(AssetKind kind, Installation installation, Func<string, string?> sloId) =>
        kind switch
        {
            AssetKind.Metadata => [.. MetricCatalog.SentWith(installation.UsesDistributions).Select(Metadata)],
            AssetKind.Percentiles => [.. MetricCatalog.WithPercentiles.Select(m => Percentiles(m, installation))],
            AssetKind.Slo => ServiceLevels.Of(installation),
            AssetKind.Monitor => Monitors.Of(installation),
            AssetKind.Dashboard =>
            [
                Dashboard(
                    StreamSpaceOverview.Key,
                    StreamSpaceOverview.Title,
                    StreamSpaceOverview.Description,
                    StreamSpaceOverview.Widgets(sloId),
                    installation
                ),
                Dashboard(
                    SessionOverview.Key,
                    SessionOverview.Title,
                    SessionOverview.Description,
                    SessionOverview.Widgets(),
                    installation
                ),
                Dashboard(
                    UserActivity.Key,
                    UserActivity.Title,
                    UserActivity.Description,
                    UserActivity.Widgets(),
                    installation
                ),
            ],
            _ => [ServiceEntity.Of(installation)],
        };

    private static Asset Metadata(MetricDefinition metric)
    {
        var body = new JsonObject { ["description"] = metric.Description };
        if (metric.Unit is { } unit)
        {
            body["unit"] = unit;
        }
        return new Asset(AssetKind.Metadata, metric.Name, metric.Name, body);
    }

    // The list allows: a tag that is not in it can no longer be asked for.
    private static Asset Percentiles(MetricDefinition metric, Installation installation) =>
        new(
            AssetKind.Percentiles,
            metric.Name,
            metric.Name,
            new JsonObject
            {
                ["metric_type"] = "distribution",
                ["include_percentiles"] = true,
                ["tags"] = new JsonArray([
                    .. metric
                        .Tags.Concat(installation.TagKeys)
                        .Distinct()
                        .Order(StringComparer.Ordinal)
                        .Select(t => (JsonNode)t),
                ]),
            }
        );

    private static Asset Dashboard(
        string key,
        string title,
        string description,
        JsonArray widgets,
        Installation installation
    ) =>
        new(
            AssetKind.Dashboard,
            key,
            title + installation.Suffix,
            new JsonObject
            {
                ["title"] = title + installation.Suffix,
                ["description"] = $"{description}\n\n{Marker.Line(key, installation)}",
                ["layout_type"] = "ordered",
                ["reflow_type"] = "fixed",
                ["template_variables"] = Variables.Of(installation.Cluster),
                ["widgets"] = widgets,
            }
        );
}
