using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>The software catalogue: makes or replaces an entity, lists and deletes them (docs/reference/datadog.md §8.6).</summary>
internal sealed class CatalogRoutes(ApiKeys keys, AssetStore entities, TimeProvider time)
{
    private const string Path = "/api/v2/catalog/entity";
    private const int MaxBytes = 256 * 1024;
    private const int DefaultLimit = 100;
    private const string Schema = "schema";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead(Path, ListAsync);
        routes.MapPost(Path, PutAsync);
        routes.MapDelete($"{Path}/{{id}}", DeleteAsync);
    }

    private Task ListAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var query = context.Request.Query;
        string? Filter(string field) => query[$"filter[{field}]"].ToString() is { Length: > 0 } text ? text : null;
        var (id, reference) = (Filter("id"), Filter("ref"));
        var found = entities
            .List()
            .Where(entity =>
                (id ?? entity.Id) == entity.Id
                && (reference ?? ReferenceOf(entity)) == ReferenceOf(entity)
                && ((string[])["name", "kind", "owner"]).All(field =>
                    Filter(field) is not { } wanted || entity.Body.GetProperty("attributes").TextOf(field) == wanted
                )
            )
            .ToList();
        var page = found
            .Skip(JsonResponse.Integer(context.Request, "page[offset]", 0))
            .Take(JsonResponse.Integer(context.Request, "page[limit]", DefaultLimit));
        return AnswerAsync(
            context,
            StatusCodes.Status200OK,
            [.. page],
            query["include"].ToString().Contains(Schema, StringComparison.Ordinal)
        );
    }

    private async Task PutAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        EntityRules.Require(sent);
        var now = AssetJson.TimeOf(time.GetUtcNow());
        var made = entities.Put(all =>
        {
            var reference = EntityRules.ReferenceOf(sent);
            var before = all.FirstOrDefault(one => ReferenceOf(one) == reference);
            return EntityRules.Make(
                sent,
                before?.Id ?? Guid.NewGuid().ToString(),
                before?.Body.GetProperty("meta").TextOf("createdAt") ?? now,
                now
            );
        });
        await AnswerAsync(context, StatusCodes.Status202Accepted, [made], includesSchema: true);
    }

    private Task DeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        // By its id, or by what it is known by, in which a slash comes encoded.
        var id = ((string)context.GetRouteValue("id")!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var entity = entities.List().FirstOrDefault(one => one.Id == id || ReferenceOf(one) == id);
        if (entity is null || !entities.Remove(entity.Id))
        {
            throw new ApiError(StatusCodes.Status404NotFound, $"Entity {id} not found") { Form = ErrorForm.Objects };
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static Task AnswerAsync(HttpContext context, int status, Asset[] page, bool includesSchema)
    {
        var body = new JsonObject
        {
            ["data"] = new JsonArray([.. page.Select(WithoutSchema)]),
            ["meta"] = new JsonObject { ["count"] = page.Length, ["includeCount"] = includesSchema ? page.Length : 0 },
        };
        if (includesSchema)
        {
            body["included"] = new JsonArray([
                .. page.Select(entity =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["id"] = entity.Id,
                            ["type"] = Schema,
                            ["attributes"] = new JsonObject { [Schema] = entity.Body.NodeOf(Schema) },
                        }
                ),
            ]);
        }
        return JsonResponse.WriteAsync(context, status, JsonSerializer.SerializeToUtf8Bytes(body));
    }

    private static JsonNode WithoutSchema(Asset entity)
    {
        var body = JsonObject.Create(entity.Body)!;
        body.Remove(Schema);
        return body;
    }

    private static string ReferenceOf(Asset entity) => EntityRules.ReferenceOf(entity.Body.GetProperty(Schema));
}
