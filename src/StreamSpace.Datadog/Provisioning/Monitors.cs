using System.Globalization;
using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Datadog.Provisioning.Dashboards;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>The specification's three monitors, and those without which one would not notice that starts fail or nothing is watched.</summary>
internal static class Monitors
{
    // Of a session that has just begun, nobody is told.
    private const int NewGroupDelay = 300;

    // Below it one failure is a large share.
    private const int LeastStarts = 5;

    public static IReadOnlyList<Asset> Of(Installation installation)
    {
        var scope = installation.Scope;
        var failed = new Query("sum", MetricCatalog.SessionFailed).In(scope);
        var created = new Query("sum", MetricCatalog.SessionCreated).In(scope);
        return
        [
            Monitor(
                "high-session-count",
                "High Session Count Alert",
                $"avg(last_5m):{new Query("sum", MetricCatalog.SessionActive).In(scope)}",
                new Threshold(100) { Recovery = 90 },
                "show_no_data",
                priority: 3,
                """
                StreamSpace has {{value}} active sessions (threshold: {{threshold}})

                Look at *Active sessions by template* of the dashboard StreamSpace Overview, and at what the cluster has left.
                """,
                installation
            ),
            Monitor(
                "long-session-duration",
                "Long Session Duration Alert",
                $"max(last_15m):{new Query("max", MetricCatalog.SessionDuration, "session").In(scope)}",
                // It only grows, and ends with the session.
                new Threshold(28800),
                "resolve",
                priority: 4,
                """
                Session {{session.name}} has been running for {{value}} seconds

                Ask its user whether it is still needed: sleep is not counted, so it was awake all the time.
                """,
                installation
            ),
            Monitor(
                "high-resource-usage",
                "High Resource Usage Alert",
                $"avg(last_10m):{new Query("avg", MetricCatalog.CpuUsage, "session").In(scope)}",
                new Threshold(90) { Recovery = 80 },
                "resolve",
                priority: 3,
                """
                Session {{session.name}} CPU usage is {{value}}%

                It has reached the limit that its template sets, and is slowed down.
                """,
                installation
            ),
            Monitor(
                "failed-starts",
                "Failed Session Starts",
                $"sum(last_1h):100 * ({failed} / {created}) * is_greater({created}, {LeastStarts - 1})",
                new Threshold(20)
                {
                    Recovery = 15,
                    Warning = 10,
                    WarningRecovery = 5,
                },
                "default",
                priority: 2,
                $$$"""
                {{value}}% of the sessions that were asked for within an hour failed; judged from {{{LeastStarts}}} on.

                *Failures by reason* of the dashboard StreamSpace Overview says why, and the traces and logs of the failed sessions say it in the platform's words.
                """,
                installation
            ),
            Monitor(
                "slow-starts",
                "Slow Session Starts",
                $"avg(last_1h):{new Query("p95", MetricCatalog.TimeToReady).In(scope)}",
                new Threshold(60)
                {
                    Recovery = 50,
                    Warning = 30,
                    WarningRecovery = 25,
                },
                "resolve",
                priority: 3,
                """
                Five of 100 sessions take longer than {{value}} seconds from being asked for to running.

                *Slowest templates* of the dashboard StreamSpace Overview says which.
                """,
                installation
            ),
            Monitor(
                "collector-silent",
                "StreamSpace Collector Silent",
                $"min(last_15m):{new Query("max", MetricCatalog.QueueAge).In(scope)}",
                new Threshold(900) { Recovery = 60 },
                "show_and_notify_no_data",
                priority: 2,
                """
                {{#is_no_data}}Nothing was heard of the plugin for 15 minutes: it is down, or cannot reach Datadog.{{/is_no_data}}
                {{#is_alert}}What the plugin holds waits for {{value}} seconds: one kind of data does not get through.{{/is_alert}}

                `status` on the plugin's host says what is wrong and what to do. What was taken is kept, and sent once the way is free: numbers for an hour, the rest for 18.
                """,
                installation
            ),
            Monitor(
                "source-down",
                "StreamSpace Source Down",
                $"max(last_10m):{new Query("min", MetricCatalog.SourceUp, "source").In(scope)}",
                new Threshold(1, "<"),
                "resolve",
                priority: 2,
                """
                {{source.name}} has not given the whole picture for 10 minutes: what only it tells of is missing or late.

                `status` on the plugin's host says since when, why, and what to do.
                """,
                installation
            ),
        ];
    }

    private static Asset Monitor(
        string key,
        string name,
        string query,
        Threshold threshold,
        string onMissingData,
        int priority,
        string message,
        Installation installation
    ) =>
        new(
            AssetKind.Monitor,
            key,
            name + installation.Suffix,
            new JsonObject
            {
                ["name"] = name + installation.Suffix,
                // One that was made as a metric alert is given back as this.
                ["type"] = "query alert",
                ["query"] =
                    $"{query} {threshold.Comparator} {threshold.Critical.ToString(CultureInfo.InvariantCulture)}",
                ["message"] = installation.Notify.Length > 0 ? $"{message}\n\n{installation.Notify}" : message,
                ["priority"] = priority,
                ["tags"] = new JsonArray([.. Marker.Tags(key, installation).Select(t => (JsonNode)t)]),
                ["options"] = new JsonObject
                {
                    ["thresholds"] = threshold.Json(),
                    ["on_missing_data"] = onMissingData,
                    ["new_group_delay"] = query.Contains("} by {", StringComparison.Ordinal) ? NewGroupDelay : 0,
                    // Series come and go: a window that is not full is judged all the same.
                    ["require_full_window"] = false,
                    ["include_tags"] = true,
                    ["notify_audit"] = false,
                },
            }
        );

    private sealed record Threshold(double Critical, string Comparator = ">")
    {
        public double? Recovery { get; init; }
        public double? Warning { get; init; }
        public double? WarningRecovery { get; init; }

        public JsonObject Json()
        {
            var json = new JsonObject { ["critical"] = Critical };
            foreach (
                var (name, value) in new[]
                {
                    ("critical_recovery", Recovery),
                    ("warning", Warning),
                    ("warning_recovery", WarningRecovery),
                }
            )
            {
                if (value is { } given)
                {
                    json[name] = given;
                }
            }
            return json;
        }
    }
}
