using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Makes, reads, replaces and deletes SLOs (docs/reference/datadog.md §8.4).</summary>
internal sealed class SloRoutes(ApiKeys keys, AssetStore slos, AssetStore dashboards, TimeProvider time)
{
    private const string Path = "/api/v1/slo";
    private const int MaxBytes = 256 * 1024;
    private const int DefaultLimit = 1_000;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead(Path, ListAsync);
        routes.MapPost(Path, CreateAsync);
        routes.MapRead($"{Path}/{{id}}", GetAsync);
        routes.MapPut($"{Path}/{{id}}", ReplaceAsync);
        routes.MapDelete($"{Path}/{{id}}", DeleteAsync);
    }

    private Task ListAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var query = context.Request.Query;
        var ids = Split(query["ids"]);
        var tags = Split(query["tags_query"]);
        var name = query["query"].ToString();
        var metric = query["metrics_query"].ToString();
        var offset = JsonResponse.Integer(context.Request, "offset", 0);
        var limit = JsonResponse.Integer(context.Request, "limit", DefaultLimit);
        var wanted = slos.List()
            .Where(slo =>
                (ids.Length == 0 || ids.Contains(slo.Id))
                && tags.All(tag => slo.Body.TextsOf("tags").Contains(tag))
                && slo.Text("name")!.Contains(name, StringComparison.OrdinalIgnoreCase)
                && (metric.Length == 0 || slo.Body.GetRawText().Contains(metric, StringComparison.Ordinal))
            )
            .ToList();
        return JsonResponse.OkAsync(
            context,
            new JsonObject
            {
                ["data"] = new JsonArray([
                    .. wanted.Skip(offset).Take(limit).Select(slo => JsonObject.Create(slo.Body)),
                ]),
                ["error"] = null,
                ["metadata"] = new JsonObject
                {
                    ["page"] = new JsonObject
                    {
                        ["total_count"] = wanted.Count,
                        ["total_filtered_count"] = wanted.Count,
                    },
                },
            }
        );
    }

    private async Task CreateAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        SloRules.Require(sent, type: null);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var made = slos.Put(_ => SloRules.Make(sent, sent.TextOf("type")!, id, now, now));
        await AnswerAsync(context, new JsonArray(JsonObject.Create(made.Body)));
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var id = IdOf(context);
        return AnswerAsync(context, JsonObject.Create((slos.Find(id) ?? throw NotFound(id)).Body));
    }

    private async Task ReplaceAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        var id = IdOf(context);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var made = slos.Put(all =>
        {
            var before = all.FirstOrDefault(one => one.Id == id) ?? throw NotFound(id);
            var type = before.Text("type")!;
            SloRules.Require(sent, type);
            return SloRules.Make(sent, type, id, before.Body.GetProperty("created_at").GetInt64(), now);
        });
        await AnswerAsync(context, new JsonArray(JsonObject.Create(made.Body)));
    }

    private Task DeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var id = IdOf(context);
        var slo = slos.Find(id) ?? throw NotFound(id);
        var isForced = bool.TryParse(context.Request.Query["force"], out var force) && force;
        if (!isForced && dashboards.List().FirstOrDefault(one => DashboardRules.Shows(one, id)) is { } dashboard)
        {
            // One text where other answers have a list of them.
            return JsonResponse.WriteAsync(
                context,
                StatusCodes.Status409Conflict,
                JsonSerializer.SerializeToUtf8Bytes(
                    new JsonObject
                    {
                        ["errors"] = $"slo {id} is referenced in dashboard_id: {dashboard.Id}",
                        ["data"] = null,
                    }
                )
            );
        }
        return slos.Remove(slo.Id) ? AnswerAsync(context, new JsonArray(id)) : throw NotFound(id);
    }

    private static Task AnswerAsync(HttpContext context, JsonNode? data) =>
        JsonResponse.OkAsync(context, new JsonObject { ["data"] = data, ["error"] = null });

    private static string[] Split(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static string IdOf(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static ApiError NotFound(string id) => new(StatusCodes.Status404NotFound, $"SLO not found: {id} not found");
}
