using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>What Datadog takes for an SLO and what it makes of it (docs/reference/datadog.md §8.4).</summary>
internal static partial class SloRules
{
    private const int DefaultSlice = 300;

    // What an answer holds besides what the published schema takes, so that an answer can be sent back.
    private static readonly string[] Answered =
    [
        "id",
        "creator",
        "created_at",
        "modified_at",
        "monitor_tags",
        "type_id",
    ];

    // In the order of their type_id.
    private static readonly string[] Types = ["monitor", "metric", "time_slice"];

    /// <param name="sent">What was sent.</param>
    /// <param name="type">The type that an SLO was made with, which it keeps; null for a new one.</param>
    /// <exception cref="ApiError">400: Datadog would refuse it, in Datadog's words where they are known.</exception>
    public static void Require(JsonElement sent, string? type)
    {
        AssetJson.Require(sent, OpenApiSchema.V1, "ServiceLevelObjectiveRequest", Answered);
        RequireThresholds(sent);
        switch (type ?? sent.TextOf("type"))
        {
            case "monitor":
                if (!sent.ItemsOf("monitor_ids").Any())
                {
                    throw Invalid("must specify monitor_ids");
                }
                break;
            case "metric":
                RequireQueries(sent);
                break;
            default:
                if (Specification(sent, "time_slice") is null)
                {
                    throw Invalid("must specify the sli_specification for time slice types");
                }
                break;
        }
    }

    /// <summary>The SLO as it is answered from now on.</summary>
    /// <param name="sent">What passed <see cref="Require"/>.</param>
    /// <param name="type">The type it has.</param>
    /// <param name="id">Its id.</param>
    /// <param name="created">When it was made, POSIX seconds.</param>
    /// <param name="modified">Now, likewise.</param>
    public static Asset Make(JsonElement sent, string type, string id, long created, long modified)
    {
        var first = sent.ItemsOf("thresholds").First();
        var body = new JsonObject
        {
            ["id"] = id,
            ["name"] = sent.NodeOf("name"),
            ["tags"] = sent.NodeOf("tags") ?? new JsonArray(),
            ["monitor_tags"] = new JsonArray(),
            ["thresholds"] = new JsonArray([.. sent.ItemsOf("thresholds").Select(Threshold)]),
            ["type"] = type,
            ["type_id"] = Array.IndexOf(Types, type),
            ["description"] = sent.NodeOf("description") ?? "",
            ["timeframe"] = sent.NodeOf("timeframe") ?? first.NodeOf("timeframe"),
            ["warning_threshold"] = sent.NodeOf("warning_threshold") ?? first.NodeOf("warning"),
            ["target_threshold"] = sent.NodeOf("target_threshold") ?? first.NodeOf("target"),
        };
        if (type == "monitor")
        {
            body["monitor_ids"] = sent.NodeOf("monitor_ids");
            body["groups"] = sent.NodeOf("groups");
        }
        if (Query(sent) is { } query)
        {
            body["query"] = query;
        }
        body["creator"] = new JsonObject
        {
            ["name"] = null,
            ["handle"] = AssetJson.Author,
            ["email"] = AssetJson.Author,
        };
        body["created_at"] = created;
        body["modified_at"] = modified;
        if (sent.NodeOf("sli_specification") is { } specification)
        {
            if (specification["time_slice"] is JsonObject slice)
            {
                slice["query_interval_seconds"] ??= DefaultSlice;
            }
            body["sli_specification"] = specification;
        }
        return new Asset(id, JsonSerializer.SerializeToElement(body));
    }

    private static void RequireThresholds(JsonElement sent)
    {
        if (!sent.ItemsOf("thresholds").Any())
        {
            throw Invalid("must specify at least one threshold");
        }
        foreach (var threshold in sent.ItemsOf("thresholds"))
        {
            var target = threshold.NumberOf("target");
            if (target is not (> 0 and < 100))
            {
                throw Invalid("a target must be between 0 and 100");
            }
            if (threshold.NumberOf("warning") is { } warning && !(warning > target && warning <= 100))
            {
                throw Invalid("a warning must be greater than its target, and at most 100");
            }
        }
    }

    private static void RequireQueries(JsonElement sent)
    {
        if (sent.Has("query", JsonValueKind.Object, out var query))
        {
            RequireQuery(query.TextOf("numerator")!);
            RequireQuery(query.TextOf("denominator")!);
            return;
        }
        if (Specification(sent, "count") is not { } count)
        {
            throw Invalid("must specify the query for count types");
        }
        foreach (var one in count.ItemsOf("queries"))
        {
            RequireQuery(one.TextOf("query")!);
        }
        var names = new HashSet<string?>();
        if (
            count.ItemsOf("queries").FirstOrDefault(one => !names.Add(one.TextOf("name"))) is
            { ValueKind: JsonValueKind.Object } twin
        )
        {
            throw Invalid($"two queries are named '{twin.TextOf("name")}'");
        }
        foreach (var formula in (string?[])[Formula(count, "good"), Formula(count, "total"), Formula(count, "bad")])
        {
            if (
                formula is not null
                && RequireQuery(formula).References().FirstOrDefault(name => !names.Contains(name)) is { } unknown
            )
            {
                throw Invalid($"'{unknown}' in the formula '{formula}' is no name of a query");
            }
        }
    }

    private static Expression RequireQuery(string text)
    {
        try
        {
            return ExpressionParser.Parse(text);
        }
        catch (ApiError error)
        {
            throw Invalid($"'{text}': {error.Message}");
        }
    }

    private static JsonElement? Specification(JsonElement sent, string kind) =>
        sent.Has("sli_specification", JsonValueKind.Object, out var specification)
        && specification.Has(kind, JsonValueKind.Object, out var inner)
            ? inner
            : null;

    private static string? Formula(JsonElement count, string events) =>
        count.Has($"{events}_events_formula", JsonValueKind.Object, out var formula) ? formula.TextOf("formula") : null;

    /// <summary>What good and total events are, in whichever form they were sent.</summary>
    private static JsonNode? Query(JsonElement sent)
    {
        if (Specification(sent, "count") is not { } count)
        {
            return sent.NodeOf("query");
        }
        var queries = count.ItemsOf("queries").ToDictionary(one => one.TextOf("name")!, one => one.TextOf("query")!);
        string Written(string formula) =>
            Word().Replace(formula, word => queries.GetValueOrDefault(word.Value, word.Value));
        var good = Written(Formula(count, "good")!);
        return new JsonObject
        {
            ["numerator"] = good,
            ["denominator"] = Formula(count, "total") is { } total
                ? Written(total)
                : $"({good}) + ({Written(Formula(count, "bad")!)})",
        };
    }

    private static JsonNode Threshold(JsonElement sent)
    {
        var threshold = new JsonObject { ["timeframe"] = sent.NodeOf("timeframe") };
        foreach (var field in (string[])["target", "warning"])
        {
            if (sent.NumberOf(field) is { } value)
            {
                threshold[field] = value;
                threshold[$"{field}_display"] = Displayed(value);
            }
        }
        return threshold;
    }

    // A whole number keeps its point, as Datadog writes it.
    private static string Displayed(double value) =>
        value.ToString(CultureInfo.InvariantCulture) + (double.IsInteger(value) ? "." : "");

    private static ApiError Invalid(string why) => ApiError.BadRequest($"Invalid payload: {why}");

    [GeneratedRegex("[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Word();
}
