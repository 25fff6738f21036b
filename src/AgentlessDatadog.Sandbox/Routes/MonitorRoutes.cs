using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Monitors;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Makes, reads, edits and deletes monitors (docs/reference/datadog.md §8.3).</summary>
internal sealed class MonitorRoutes(
    ApiKeys keys,
    AssetStore monitors,
    AssetStore slos,
    MonitorStates states,
    TimeProvider time
)
{
    private const string Path = "/api/v1/monitor";
    private const int MaxBytes = 256 * 1024;
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;
    private const long FirstId = 1_000_001;

    private static readonly string[] GroupStates = ["all", "alert", "warn", "no data", "ok"];

    // Only used within the store's lock.
    private long _lastId = FirstId - 1;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead(Path, ListAsync);
        routes.MapPost(Path, CreateAsync);
        routes.MapPost($"{Path}/validate", ValidateAsync).OnlyReads();
        routes.MapRead($"{Path}/can_delete", CanDeleteAsync);
        routes.MapRead($"{Path}/search", SearchAsync);
        routes.MapRead($"{Path}/{{id:long}}", GetAsync);
        routes.MapPut($"{Path}/{{id:long}}", EditAsync);
        routes.MapDelete($"{Path}/{{id:long}}", DeleteAsync);
        routes.MapPost($"{Path}/{{id:long}}/validate", ValidateAsync).OnlyReads();
    }

    private Task ListAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var groupStates = GroupStatesOf(context.Request);
        var query = context.Request.Query;
        var tags = query["monitor_tags"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries);
        var name = query["name"].ToString();
        var offset = JsonResponse.Integer(context.Request, "id_offset", 0);
        var size = Math.Clamp(JsonResponse.Integer(context.Request, "page_size", DefaultPageSize), 1, MaxPageSize);
        var wanted = monitors
            .List()
            .Where(monitor =>
                monitor.Body.GetProperty("id").GetInt64() > offset
                && monitor.Text("name")!.Contains(name, StringComparison.OrdinalIgnoreCase)
                && tags.All(tag => monitor.Body.TextsOf("tags").Contains(tag))
            );
        // Without a page all of them are answered.
        if (query.ContainsKey("page") || query.ContainsKey("id_offset"))
        {
            wanted = wanted.Chunk(size).ElementAtOrDefault(JsonResponse.Integer(context.Request, "page", 0)) ?? [];
        }
        return JsonResponse.OkAsync(
            context,
            new JsonArray([.. wanted.Select(monitor => Answer(monitor, groupStates))])
        );
    }

    private async Task CreateAsync(HttpContext context)
    {
        var sent = await ReadAsync(context);
        var now = time.GetUtcNow();
        var made = monitors.Put(others =>
        {
            var stamp = AssetJson.TimeOf(now);
            var monitor = MonitorRules.Make(sent, _lastId + 1, stamp, now.ToUnixTimeSeconds() * 1_000, stamp);
            RequireNoTwin(others, monitor);
            _lastId++;
            return monitor;
        });
        await JsonResponse.OkAsync(context, Answer(made));
    }

    private async Task ValidateAsync(HttpContext context)
    {
        _ = await ReadAsync(context);
        await JsonResponse.OkAsync(context, new JsonObject());
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var groupStates = GroupStatesOf(context.Request);
        return JsonResponse.OkAsync(context, Answer(monitors.Find(IdOf(context)) ?? throw NotFound(), groupStates));
    }

    private async Task EditAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var edit = await SmallBody.ReadAsync(context, MaxBytes);
        var id = IdOf(context);
        var modified = AssetJson.TimeOf(time.GetUtcNow());
        var made = monitors.Put(all =>
        {
            var before = all.FirstOrDefault(one => one.Id == id) ?? throw NotFound();
            var monitor = MonitorRules.Make(
                MonitorRules.Edited(before, edit),
                before.Body.GetProperty("id").GetInt64(),
                before.Text("created")!,
                before.Body.GetProperty("created_at").GetInt64(),
                modified
            );
            RequireNoTwin(all, monitor);
            return monitor;
        });
        await JsonResponse.OkAsync(context, Answer(made));
    }

    private Task DeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var monitor = monitors.Find(IdOf(context)) ?? throw NotFound();
        if (!IsTrue(context.Request, "force") && Referenced(monitor) is { } why)
        {
            throw new ApiError(StatusCodes.Status401Unauthorized, why);
        }
        return monitors.Remove(monitor.Id)
            ? JsonResponse.OkAsync(context, new JsonObject { ["deleted_monitor_id"] = monitor.Body.NodeOf("id") })
            : throw NotFound();
    }

    private async Task CanDeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var ok = new JsonArray();
        var errors = new JsonObject();
        foreach (
            var id in context.Request.Query["monitor_ids"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries)
        )
        {
            var monitor = monitors.Find(id) ?? throw NotFound();
            if (Referenced(monitor) is { } why)
            {
                errors[id] = new JsonArray(why);
            }
            else
            {
                ok.Add(monitor.Body.NodeOf("id"));
            }
        }
        var isFree = errors.Count == 0;
        var body = new JsonObject
        {
            ["data"] = new JsonObject { ["ok"] = ok },
            ["errors"] = isFree ? null : errors,
        };
        await JsonResponse.WriteAsync(
            context,
            isFree ? StatusCodes.Status200OK : StatusCodes.Status409Conflict,
            JsonSerializer.SerializeToUtf8Bytes(body)
        );
    }

    private Task SearchAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var page = JsonResponse.Integer(context.Request, "page", 0);
        var size = Math.Clamp(JsonResponse.Integer(context.Request, "per_page", 30), 1, MaxPageSize);
        var found = MonitorSearch.Find(monitors.List().Select(Found), context.Request.Query["query"].ToString());
        return JsonResponse.OkAsync(context, MonitorSearch.Answer(found, page, size));
    }

    private async Task<JsonElement> ReadAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        MonitorRules.Require(sent);
        return sent;
    }

    /// <summary>A monitor with the state that it is in now.</summary>
    /// <param name="monitor">The monitor.</param>
    /// <param name="groupStates">Which of its groups are told, by their states; none when it is empty.</param>
    private JsonObject Answer(Asset monitor, string groupStates = "")
    {
        var body = JsonObject.Create(monitor.Body)!;
        var state = states.Of(monitor);
        body["overall_state"] = (state?.Overall ?? MonitorStatus.NoData).Name();
        body["overall_state_modified"] = state?.Since is { } since ? AssetJson.TimeOf(since) : null;
        if (groupStates.Length > 0)
        {
            var wanted = groupStates.Split(',');
            body["state"] = new JsonObject
            {
                ["groups"] = new JsonObject(
                    (state?.Groups.Values ?? [])
                        .Where(group =>
                            wanted.Contains("all")
                            || wanted.Contains(group.Status.Name(), StringComparer.OrdinalIgnoreCase)
                        )
                        .OrderBy(group => group.Name, StringComparer.Ordinal)
                        .Select(group => KeyValuePair.Create(group.Name, (JsonNode?)Group(group)))
                ),
            };
        }
        return body;
    }

    private static JsonObject Group(GroupState group)
    {
        var json = new JsonObject { ["name"] = group.Name, ["status"] = group.Status.Name() };
        foreach (
            var (name, at) in new[]
            {
                ("last_triggered_ts", group.LastTriggered),
                ("last_resolved_ts", group.LastResolved),
                ("last_nodata_ts", group.LastNoData),
            }
        )
        {
            if (at is { } moment)
            {
                json[name] = moment.ToUnixTimeSeconds();
            }
        }
        return json;
    }

    private JsonObject Found(Asset monitor)
    {
        var body = Answer(monitor);
        body["last_triggered_ts"] = states.Of(monitor)?.LastTriggered?.ToUnixTimeSeconds();
        return body;
    }

    private string? Referenced(Asset monitor)
    {
        var id = monitor.Body.GetProperty("id").GetInt64();
        var slo = slos.List()
            .FirstOrDefault(one =>
                one.Body.ItemsOf("monitor_ids").Any(used => used.TryGetInt64(out var it) && it == id)
            );
        return slo is null
            ? null
            : $"monitor [{monitor.Id},{monitor.Text("name")}] is referenced in slos: [{slo.Id},{slo.Text("name")}]";
    }

    private static void RequireNoTwin(IEnumerable<Asset> others, Asset monitor)
    {
        if (others.FirstOrDefault(other => MonitorRules.AreTwins(other, monitor)) is { } twin)
        {
            throw ApiError.BadRequest($"Duplicate of an existing monitor_id:{twin.Id} org_id:{AssetJson.OrgId}");
        }
    }

    private static string GroupStatesOf(HttpRequest request)
    {
        var states = request.Query["group_states"].ToString();
        return states.Length == 0 || states.Split(',').All(state => GroupStates.Contains(state))
            ? states
            : throw ApiError.BadRequest("Invalid group_state filters.");
    }

    private static string IdOf(HttpContext context) =>
        long.Parse((string)context.GetRouteValue("id")!, CultureInfo.InvariantCulture)
            .ToString(CultureInfo.InvariantCulture);

    private static ApiError NotFound() => new(StatusCodes.Status404NotFound, "Monitor not found");

    private static bool IsTrue(HttpRequest request, string parameter) =>
        bool.TryParse(request.Query[parameter], out var value) && value;
}
