using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary><c>GET /api/v1/monitor/search</c>: the monitors that a search finds, and how many there are of each kind.</summary>
internal static partial class MonitorSearch
{
    private static readonly string[] Statuses = ["Alert", "Ignored", "No Data", "OK", "Skipped", "Unknown", "Warn"];

    /// <exception cref="ApiError">400: the search is not one, or a status in it is none.</exception>
    public static List<JsonObject> Find(IEnumerable<JsonObject> monitors, string query)
    {
        foreach (Match term in StatusTerm().Matches(query))
        {
            var status = term.Groups["status"].Value;
            if (!Statuses.Contains(status, StringComparer.OrdinalIgnoreCase))
            {
                throw ApiError.BadRequest($"Query parsing error: '{status}' is not a valid monitor status");
            }
        }
        var filter = Filter(query);
        return [.. monitors.Where(monitor => filter.Matches(new Searched(monitor)))];
    }

    /// <summary>One page of what was found, and counts of all of it.</summary>
    public static JsonObject Answer(List<JsonObject> found, int page, int size) =>
        new()
        {
            ["counts"] = new JsonObject
            {
                ["status"] = Counts(found.Select(monitor => Text(monitor, "overall_state"))),
                ["muted"] = new JsonArray(new JsonObject { ["count"] = found.Count, ["name"] = false }),
                ["tag"] = Counts(found.SelectMany(TagsOf)),
                ["type"] = Counts(found.Select(KindOf)),
            },
            ["metadata"] = new JsonObject
            {
                ["total_count"] = found.Count,
                ["page_count"] = (found.Count + size - 1) / size,
                ["page"] = page,
                ["per_page"] = size,
            },
            ["monitors"] = new JsonArray([.. (found.Chunk(size).ElementAtOrDefault(page) ?? []).Select(Hit)]),
        };

    private static SearchFilter Filter(string query)
    {
        try
        {
            return SearchParser.Parse(query);
        }
        catch (ApiError error)
        {
            throw ApiError.BadRequest($"Query parsing error: {error.Message}");
        }
    }

    private static JsonObject Hit(JsonObject monitor) =>
        new()
        {
            ["id"] = monitor["id"]!.DeepClone(),
            ["org_id"] = AssetJson.OrgId,
            ["name"] = Text(monitor, "name"),
            ["query"] = Text(monitor, "query"),
            ["tags"] = monitor["tags"]!.DeepClone(),
            ["status"] = Text(monitor, "overall_state"),
            ["type"] = Text(monitor, "type"),
            ["classification"] = KindOf(monitor),
            ["creator"] = new JsonObject { ["handle"] = AssetJson.Author, ["name"] = null },
            ["last_triggered_ts"] = monitor["last_triggered_ts"]?.DeepClone(),
            ["metrics"] = new JsonArray(),
            ["notifications"] = new JsonArray(),
            ["scopes"] = new JsonArray(),
        };

    private static JsonArray Counts(IEnumerable<string> names) =>
        new([
            .. names
                .CountBy(name => name)
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => (JsonNode)new JsonObject { ["count"] = pair.Value, ["name"] = pair.Key }),
        ]);

    private static string KindOf(JsonObject monitor) =>
        Text(monitor, "type") is "query alert"
            ? "metric"
            : Text(monitor, "type").Replace(" alert", "", StringComparison.Ordinal);

    private static string Text(JsonObject monitor, string field) => monitor[field]?.GetValue<string>() ?? "";

    private static IEnumerable<string> TagsOf(JsonObject monitor) =>
        monitor["tags"]!.AsArray().Select(tag => tag!.GetValue<string>());

    [GeneratedRegex("""(?:^|[\s(-])status:(?:"(?<status>[^"]*)"|(?<status>[^\s()"]+))""", RegexOptions.NonBacktracking)]
    private static partial Regex StatusTerm();

    private sealed class Searched(JsonObject monitor) : ISearchable
    {
        public long Time => 0;

        public long Sequence => 0;

        public IEnumerable<string> ValuesOf(string field) =>
            field switch
            {
                "" or "title" => [Text(monitor, "name")],
                "id" => [monitor["id"]!.ToString()],
                "status" => [Text(monitor, "overall_state")],
                "type" => [KindOf(monitor)],
                "tag" => TagsOf(monitor),
                "muted" => ["false"],
                _ => [],
            };
    }
}
