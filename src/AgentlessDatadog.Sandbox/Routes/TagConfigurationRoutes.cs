using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Schemas;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Which tags of a metric can be asked for, and its percentiles (docs/reference/datadog.md §8.5).</summary>
internal sealed class TagConfigurationRoutes(
    ApiKeys keys,
    AssetStore configurations,
    MetricStore metrics,
    TimeProvider time
)
{
    private const string Path = "/api/v2/metrics/{name}/tags";
    private const int MaxBytes = 64 * 1024;
    private const string Percentiles = "include_percentiles";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead(Path, GetAsync);
        routes.MapPost(Path, CreateAsync);
        routes.MapPatch(Path, EditAsync);
        routes.MapDelete(Path, DeleteAsync);
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var name = NameOf(context);
        return AnswerAsync(context, StatusCodes.Status200OK, configurations.Find(name) ?? throw NotFound(name));
    }

    private async Task CreateAsync(HttpContext context)
    {
        var name = NameOf(context);
        var sent = await ReadAsync(context, name, "MetricTagConfigurationCreateRequest");
        if (!sent.Has("attributes", JsonValueKind.Object, out var attributes))
        {
            throw ApiError.BadRequest("Invalid payload: 'attributes' is a required property at data");
        }
        if (metrics.Describe(name, metadata => metadata) is not { } metric)
        {
            throw ApiError.BadRequest("Cannot configure tags on a metric that does not exist.");
        }
        var type = attributes.TextOf("metric_type")!;
        var isDistribution = metric.Type == IntakeMetricType.Distribution;
        if (isDistribution != (type == "distribution"))
        {
            throw ApiError.BadRequest($"Metric {name} is a {metric.Type.Name()}, not a {type}");
        }
        var now = AssetJson.TimeOf(time.GetUtcNow());
        var made = configurations.Put(all =>
            all.Any(one => one.Id == name)
                ? throw new ApiError(
                    StatusCodes.Status409Conflict,
                    $"New {(isDistribution ? "distribution" : "gauge/count/rate")} conflicts with existing tag configuration, use PATCH to update"
                )
                : Make(name, type, attributes, now, now)
        );
        await AnswerAsync(context, StatusCodes.Status201Created, made);
    }

    private async Task EditAsync(HttpContext context)
    {
        var name = NameOf(context);
        var sent = await ReadAsync(context, name, "MetricTagConfigurationUpdateRequest");
        var now = AssetJson.TimeOf(time.GetUtcNow());
        var made = configurations.Put(all =>
        {
            var before = (all.FirstOrDefault(one => one.Id == name) ?? throw NotFound(name)).Body.GetProperty(
                "attributes"
            );
            var merged = JsonObject.Create(before)!;
            if (sent.Has("attributes", JsonValueKind.Object, out var edit))
            {
                foreach (var field in edit.EnumerateObject())
                {
                    merged[field.Name] = JsonSerializer.SerializeToNode(field.Value);
                }
            }
            return Make(
                name,
                before.TextOf("metric_type")!,
                JsonSerializer.SerializeToElement(merged),
                before.TextOf("created_at")!,
                now
            );
        });
        await AnswerAsync(context, StatusCodes.Status200OK, made);
    }

    private Task DeleteAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var name = NameOf(context);
        if (!configurations.Remove(name))
        {
            throw NotFound(name);
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private async Task<JsonElement> ReadAsync(HttpContext context, string name, string schema)
    {
        keys.RequireBothKeys(context.Request);
        var sent = await SmallBody.ReadAsync(context, MaxBytes);
        AssetJson.Require(sent, OpenApiSchema.V2, schema);
        var data = sent.GetProperty("data");
        return data.TextOf("id") == name
            ? data
            : throw ApiError.BadRequest($"Invalid payload: data.id must be {name}, the metric of the path");
    }

    /// <exception cref="ApiError">400: percentiles of something else than a distribution.</exception>
    private static Asset Make(string name, string type, JsonElement attributes, string created, string modified)
    {
        var isDistribution = type == "distribution";
        if (!isDistribution && attributes.Has(Percentiles, JsonValueKind.True, out _))
        {
            throw ApiError.BadRequest($"Cannot include percentiles for {name}: it is a {type}, not a distribution");
        }
        var kept = new JsonObject
        {
            ["tags"] = attributes.NodeOf("tags"),
            ["created_at"] = created,
            ["modified_at"] = modified,
            ["metric_type"] = type,
        };
        if (isDistribution)
        {
            kept[Percentiles] = attributes.NodeOf(Percentiles) ?? false;
        }
        else
        {
            kept["aggregations"] = attributes.NodeOf("aggregations") ?? DefaultAggregations(type);
        }
        if (attributes.NodeOf("exclude_tags_mode") is { } excludes)
        {
            kept["exclude_tags_mode"] = excludes;
        }
        var body = new JsonObject
        {
            ["type"] = "manage_tags",
            ["id"] = name,
            ["attributes"] = kept,
        };
        return new Asset(name, JsonSerializer.SerializeToElement(body));
    }

    private static JsonArray DefaultAggregations(string type)
    {
        var how = type == "gauge" ? "avg" : "sum";
        return new JsonArray(new JsonObject { ["space"] = how, ["time"] = how });
    }

    private static Task AnswerAsync(HttpContext context, int status, Asset configuration) =>
        JsonResponse.WriteAsync(
            context,
            status,
            JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["data"] = JsonObject.Create(configuration.Body) })
        );

    private static string NameOf(HttpContext context) => (string)context.GetRouteValue("name")!;

    private static ApiError NotFound(string name) => new(StatusCodes.Status404NotFound, $"{name} not found");
}
