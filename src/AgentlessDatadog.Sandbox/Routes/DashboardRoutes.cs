using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Makes, reads, replaces and deletes dashboards (docs/reference/datadog.md §8.2).</summary>
internal sealed class DashboardRoutes(ApiKeys keys, AssetStore dashboards, TimeProvider time)
{
    private const string Path = "/api/v1/dashboard";
    private const int MaxBytes = 1 << 20;
    private const int DefaultCount = 100;
    private const string IdLetters = "abcdefghijkmnpqrstuvwxyz23456789";

    private static readonly string[] Summary =
    [
        "id",
        "title",
        "description",
        "layout_type",
        "url",
        "created_at",
        "modified_at",
        "author_handle",
    ];

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
        // Nothing is shared here, and nothing that was deleted is kept.
        var isEmpty = IsTrue(context.Request, "filter[shared]") || IsTrue(context.Request, "filter[deleted]");
        var page = dashboards
            .List()
            .Skip(JsonResponse.Integer(context.Request, "start", 0))
            .Take(isEmpty ? 0 : JsonResponse.Integer(context.Request, "count", DefaultCount));
        return JsonResponse.OkAsync(
            context,
            new JsonObject { ["dashboards"] = new JsonArray([.. page.Select(SummaryOf)]) }
        );
    }

    private async Task CreateAsync(HttpContext context)
    {
        var sent = await ReadAsync(context);
        var now = AssetJson.TimeOf(time.GetUtcNow());
        var made = dashboards.Put(others =>
        {
            var id = NewId();
            while (others.Any(other => other.Id == id))
            {
                id = NewId();
            }
            return DashboardRules.Make(sent, id, now, now, NewWidgetId);
        });
        await JsonResponse.OkAsync(context, made.Body);
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var id = IdOf(context);
        return JsonResponse.OkAsync(context, (dashboards.Find(id) ?? throw NotFound(id)).Body);
    }

    private async Task ReplaceAsync(HttpContext context)
    {
        var sent = await ReadAsync(context);
        var id = IdOf(context);
        var now = AssetJson.TimeOf(time.GetUtcNow());
        var made = dashboards.Put(all =>
        {
            var before = all.FirstOrDefault(one => one.Id == id) ?? throw NotFound(id);
            return DashboardRules.Make(sent, id, before.Text("created_at")!, now, NewWidgetId);
        });
        await JsonResponse.OkAsync(context, made.Body);
    }

    private Task DeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var id = IdOf(context);
        return dashboards.Remove(id)
            ? JsonResponse.OkAsync(context, new JsonObject { ["deleted_dashboard_id"] = id })
            : throw NotFound(id);
    }

    private async Task<JsonElement> ReadAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        DashboardRules.Require(sent);
        return sent;
    }

    private static JsonObject SummaryOf(Asset dashboard) =>
        new(Summary.Select(field => KeyValuePair.Create(field, dashboard.Body.NodeOf(field))));

    private static string IdOf(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static ApiError NotFound(string id) =>
        new(StatusCodes.Status404NotFound, $"Dashboard with ID {id} not found");

    private static bool IsTrue(HttpRequest request, string parameter) =>
        bool.TryParse(request.Query[parameter], out var value) && value;

    private static string NewId()
    {
        var letters = RandomNumberGenerator.GetString(IdLetters, 9);
        return $"{letters[..3]}-{letters[3..6]}-{letters[6..]}";
    }

    private static long NewWidgetId() => RandomNumberGenerator.GetInt32(1, int.MaxValue);
}
