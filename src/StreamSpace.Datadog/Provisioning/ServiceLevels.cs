using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Datadog.Provisioning.Dashboards;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>What users of sessions may count on: that a start succeeds, and that it is quick.</summary>
internal static class ServiceLevels
{
    private const string Succeed = "starts-that-succeed";
    private const string InTime = "starts-within-a-minute";

    // Of a person who waits for a desktop.
    private const int Patience = 60;

    /// <summary>The keys of all.</summary>
    public static IReadOnlyList<string> Keys { get; } = [Succeed, InTime];

    public static string NameOf(string key) =>
        key == Succeed ? "Session starts that succeed" : $"Session starts within {Patience} s";

    public static IReadOnlyList<Asset> Of(Installation installation)
    {
        var ready = new Query("count", MetricCatalog.TimeToReady);
        return
        [
            Count(
                Succeed,
                "Of the starts that came to an end, those after which a session ran.",
                ready,
                ("bad_events_formula", new Query("sum", MetricCatalog.SessionFailed)),
                target: 99,
                installation
            ),
            Count(
                InTime,
                $"Of the sessions that ran, those that were ready {Patience} s after they had been asked for.",
                new Query($"count(v: v<={Patience})", MetricCatalog.TimeToReady),
                ("total_events_formula", ready),
                target: 95,
                installation
            ),
        ];
    }

    private static Asset Count(
        string key,
        string description,
        Query good,
        (string Name, Query Query) against,
        double target,
        Installation installation
    )
    {
        var name = NameOf(key) + installation.Suffix;
        return new Asset(
            AssetKind.Slo,
            key,
            name,
            new JsonObject
            {
                ["name"] = name,
                ["description"] = description,
                ["type"] = "metric",
                ["tags"] = new JsonArray([.. Marker.Tags(key, installation).Select(t => (JsonNode)t)]),
                ["sli_specification"] = new JsonObject
                {
                    ["count"] = new JsonObject
                    {
                        ["good_events_formula"] = new JsonObject { ["formula"] = "query1" },
                        [against.Name] = new JsonObject { ["formula"] = "query2" },
                        ["queries"] = new JsonArray(
                            Named("query1", good, installation),
                            Named("query2", against.Query, installation)
                        ),
                    },
                },
                ["thresholds"] = new JsonArray(Threshold("7d", target), Threshold("30d", target)),
            }
        );
    }

    private static JsonObject Named(string name, Query query, Installation installation) =>
        new()
        {
            ["data_source"] = "metrics",
            ["name"] = name,
            ["query"] = query.In(installation.Scope),
        };

    private static JsonObject Threshold(string timeframe, double target) =>
        new() { ["timeframe"] = timeframe, ["target"] = target };
}
