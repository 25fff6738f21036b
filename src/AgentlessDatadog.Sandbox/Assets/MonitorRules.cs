using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Monitors;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>
/// What Datadog takes for a monitor and what it makes of it (docs/reference/datadog.md §8.3). Metric monitors are read whole;
/// of other types the fields alone are looked at.
/// </summary>
internal static class MonitorRules
{
    private const string MetricAlert = "metric alert";

    /// <summary>What a metric monitor is, whatever it was sent as.</summary>
    private const string QueryAlert = "query alert";

    // What an answer holds besides what the published schema takes, so that an answer can be sent back.
    private static readonly string[] Answered =
    [
        "created_at",
        "org_id",
        "overall_state_modified",
        "restriction_policy",
    ];

    /// <summary>The fields that an edit changes, those that are not in it staying as they were.</summary>
    private static readonly string[] Editable =
    [
        "name",
        "message",
        "tags",
        "query",
        "options",
        "priority",
        "restricted_roles",
        "draft_status",
        "assets",
    ];

    /// <exception cref="ApiError">400: Datadog would refuse to make it, in Datadog's words where they are known.</exception>
    public static void Require(JsonElement sent)
    {
        AssetJson.Require(sent, OpenApiSchema.V1, "Monitor", Answered);
        if (sent.NumberOf("priority") is < 1 or > 5)
        {
            throw ApiError.BadRequest("The value provided for parameter 'priority' is invalid: it must be from 1 to 5");
        }
        var query = sent.TextOf("query")!;
        if (QueryOf(sent) is { } watched)
        {
            RequireOptions(sent, watched);
        }
        else if (
            sent.TextOf("type") == "log alert"
            && !Comparison.Comparators.Any(sign => query.Contains(sign, StringComparison.Ordinal))
        )
        {
            throw MonitorQueryParser.Invalid("invalid operator specified: ");
        }
    }

    /// <summary>A monitor with what an edit says of it.</summary>
    /// <exception cref="ApiError">400: the edit is not one, or what comes of it would not be taken.</exception>
    public static JsonElement Edited(Asset monitor, JsonElement edit)
    {
        AssetJson.Require(edit, OpenApiSchema.V1, "MonitorUpdateRequest", Answered);
        if (edit.TextOf("type") is { } type && TypeOf(type) != monitor.Text("type"))
        {
            throw ApiError.BadRequest(
                "The value provided for parameter 'type' is invalid: the type of a monitor is for good"
            );
        }
        var merged = new JsonObject { ["type"] = monitor.Text("type") };
        foreach (var field in Editable)
        {
            var from = edit.TryGetProperty(field, out _) ? edit : monitor.Body;
            if (from.TryGetProperty(field, out _))
            {
                merged[field] = from.NodeOf(field);
            }
        }
        var result = JsonSerializer.SerializeToElement(merged);
        Require(result);
        return result;
    }

    /// <summary>The monitor as it is answered from now on; its state is told when somebody asks.</summary>
    public static Asset Make(JsonElement sent, long id, string created, long createdAt, string modified)
    {
        var type = TypeOf(sent.TextOf("type")!);
        var query = QueryOf(sent);
        var body = new JsonObject
        {
            ["id"] = id,
            ["org_id"] = AssetJson.OrgId,
            ["type"] = type,
            ["name"] = sent.TextOf("name") ?? "",
            ["message"] = sent.TextOf("message") ?? "",
            ["tags"] = sent.NodeOf("tags") ?? new JsonArray(),
            ["query"] = sent.NodeOf("query"),
            ["options"] = Options(sent, query),
            ["multi"] = query?.GroupBy.Count > 0,
            ["created_at"] = createdAt,
            ["created"] = created,
            ["modified"] = modified,
            ["deleted"] = null,
            ["priority"] = sent.NodeOf("priority"),
            ["restricted_roles"] = sent.NodeOf("restricted_roles"),
            ["restriction_policy"] = null,
            ["draft_status"] = sent.NodeOf("draft_status") ?? "published",
            ["assets"] = sent.NodeOf("assets") ?? new JsonArray(),
            ["creator"] = new JsonObject
            {
                ["name"] = null,
                ["handle"] = AssetJson.Author,
                ["email"] = AssetJson.Author,
                ["id"] = 1,
            },
        };
        return new Asset(id.ToString(CultureInfo.InvariantCulture), JsonSerializer.SerializeToElement(body));
    }

    /// <summary>True when two monitors are one to Datadog, which refuses the second.</summary>
    public static bool AreTwins(Asset one, Asset other) =>
        one.Id != other.Id
        && ((string[])["type", "name", "query", "message"]).All(field => one.Text(field) == other.Text(field));

    /// <summary>
    /// What a metric monitor watches; null for other types, and for a formula over queries that stand in the options.
    /// </summary>
    /// <exception cref="ApiError">400: it cannot be read.</exception>
    public static MonitorQuery? QueryOf(JsonElement monitor)
    {
        var query = monitor.TextOf("query")!;
        return TypeOf(monitor.TextOf("type")!) == QueryAlert && !query.StartsWith("formula(", StringComparison.Ordinal)
            ? MonitorQueryParser.Parse(query)
            : null;
    }

    private static string TypeOf(string type) => type == MetricAlert ? QueryAlert : type;

    private static void RequireOptions(JsonElement sent, MonitorQuery query)
    {
        if (!sent.Has("options", JsonValueKind.Object, out var options))
        {
            return;
        }
        if (options.Has("thresholds", JsonValueKind.Object, out var thresholds))
        {
            RequireThresholds(thresholds, query);
        }
        if (options.TextOf("on_missing_data") is not { } missing)
        {
            return;
        }
        if (
            options.Has("notify_no_data", JsonValueKind.True, out _)
            || options.NumberOf("no_data_timeframe") is not null
        )
        {
            throw ApiError.BadRequest(
                "Invalid options: 'on_missing_data' cannot be set together with 'notify_no_data' or 'no_data_timeframe'"
            );
        }
        if (missing != "default" && query.Watched.Uses(Function.DefaultZero))
        {
            throw ApiError.BadRequest(
                $"Invalid options: 'on_missing_data' must be 'default' for a query that uses default_zero(), not '{missing}'"
            );
        }
    }

    private static void RequireThresholds(JsonElement thresholds, MonitorQuery query)
    {
        if (thresholds.NumberOf("critical") is not { } critical)
        {
            throw ApiError.BadRequest("Alert status is required.");
        }
        if (!critical.Equals(query.Threshold))
        {
            throw ApiError.BadRequest(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Alert threshold ({Shown(critical)}) does not match that used in the query ({Shown(query.Threshold)})."
                )
            );
        }
        var warning = thresholds.NumberOf("warning");
        // Whatever is an alert passed the warning on its way, and no value is both an alert and recovered.
        if (warning is { } before && !Comparison.Holds(critical, Inclusive(query.Comparator), before))
        {
            throw ApiError.BadRequest(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Warning threshold ({Shown(before)}) must come before the alert threshold ({Shown(critical)})."
                )
            );
        }
        RequireRecovery(thresholds, "critical_recovery", "alert", critical, query.Comparator);
        RequireRecovery(thresholds, "warning_recovery", "warning", warning, query.Comparator);
    }

    private static void RequireRecovery(
        JsonElement thresholds,
        string field,
        string state,
        double? threshold,
        string comparator
    )
    {
        if (
            thresholds.NumberOf(field) is { } recovery
            && (threshold is not { } bound || Comparison.Holds(recovery, comparator, bound))
        )
        {
            throw ApiError.BadRequest(
                $"{state} and {state} recovery criteria are such that the monitor can be simultaneously in {state} and "
                    + $"{state} recovery states"
            );
        }
    }

    private static string Inclusive(string comparator) =>
        comparator switch
        {
            ">" => ">=",
            "<" => "<=",
            _ => comparator,
        };

    // A whole number too has its point, as Datadog writes it.
    private static string Shown(double value) =>
        double.IsInteger(value)
            ? value.ToString("F1", CultureInfo.InvariantCulture)
            : value.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Options(JsonElement sent, MonitorQuery? query)
    {
        var options = sent.NodeOf("options") as JsonObject ?? [];
        if (options["thresholds"] is JsonObject thresholds)
        {
            foreach (var (name, value) in thresholds.ToList())
            {
                if (value is null)
                {
                    thresholds.Remove(name);
                }
            }
        }
        else if (query is not null)
        {
            options["thresholds"] = new JsonObject { ["critical"] = query.Threshold };
        }
        options.TryAdd("notify_no_data", false);
        options.TryAdd("notify_audit", false);
        options.TryAdd("include_tags", true);
        if (!options.ContainsKey("new_group_delay"))
        {
            options.TryAdd("new_host_delay", 300);
        }
        options["silenced"] ??= new JsonObject();
        return options;
    }
}
