using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Asking for points, for names and for what is known about a name.</summary>
internal sealed class MetricReads(ApiKeys keys, MetricStore store, AssetStore configurations)
{
    private const int MaxMetadataBytes = 64 * 1024;
    private const string Metadata = "metadata";

    private static readonly string[] Types = ["count", "distribution", "gauge", "rate"];

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead(
            "/api/v1/query",
            context =>
            {
                keys.RequireBothKeys(context.Request);
                return QueryAsync(context);
            }
        );
        routes.MapRead("/api/v1/metrics", ListAsync);
        routes.MapRead("/api/v1/metrics/{name}", GetAsync);
        routes.MapPut("/api/v1/metrics/{name}", PutAsync);
    }

    /// <summary>Answers <c>query</c>, <c>from</c> and <c>to</c>; whoever calls has checked who asks.</summary>
    public Task QueryAsync(HttpContext context)
    {
        var from = JsonResponse.Integer(context.Request, "from");
        var to = JsonResponse.Integer(context.Request, "to");
        if (from > to)
        {
            throw ApiError.BadRequest("The parameter 'from' is later than 'to'");
        }
        var text = context.Request.Query["query"].ToString();
        if (text.Length == 0)
        {
            throw ApiError.BadRequest("The parameter 'query' is required");
        }
        var asked = QueryParser.Parse(text);
        var window = new QueryWindow(from, to);
        var results = QueryEngine.Run(
            store,
            configurations,
            engine => asked.ConvertAll(one => engine.Evaluate(one.Expression, window))
        );
        return JsonResponse.OkAsync(context, json => QueryResponse.Write(json, text, asked, results, from, to));
    }

    private Task ListAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var from = JsonResponse.Integer(context.Request, "from");
        var names = store.Read(
            (metrics, _, _) =>
                metrics
                    .Values.Where(metric => metric.LastReceived >= from)
                    .Select(metric => metric.Name)
                    .Order(StringComparer.Ordinal)
                    .ToList()
        );
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteString("from", from.ToString(CultureInfo.InvariantCulture));
                json.WriteStrings("metrics", names);
            }
        );
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        return DescribeAsync(context, metadata => metadata);
    }

    private async Task PutAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var sent = ReadMetadata(await SmallBody.ReadAsync(context, MaxMetadataBytes));
        await DescribeAsync(
            context,
            known => new MetricMetadata
            {
                Type = sent.Type ?? known.Type,
                Unit = sent.Unit ?? known.Unit,
                PerUnit = sent.PerUnit ?? known.PerUnit,
                Description = sent.Description ?? known.Description,
                ShortName = sent.ShortName ?? known.ShortName,
                StatsdInterval = sent.StatsdInterval ?? known.StatsdInterval,
            }
        );
    }

    private static MetricMetadata ReadMetadata(JsonElement json)
    {
        JsonShape.Expect(json, JsonValueKind.Object, Metadata, "an object");
        var type = JsonShape.OptionalText(json, "type", Metadata);
        if (type is not null && !Types.Contains(type))
        {
            throw JsonShape.Wrong($"{Metadata}.type", $"one of {string.Join(", ", Types)}");
        }
        return new MetricMetadata
        {
            Type = type,
            Unit = UnitOf(json, "unit"),
            PerUnit = UnitOf(json, "per_unit"),
            Description = JsonShape.OptionalText(json, "description", Metadata),
            ShortName = JsonShape.OptionalText(json, "short_name", Metadata),
            StatsdInterval = JsonShape.OptionalInteger(json, "statsd_interval", Metadata),
        };
    }

    private static string? UnitOf(JsonElement json, string field)
    {
        var unit = JsonShape.OptionalText(json, field, Metadata);
        return unit is null || Units.Find(unit) is not null
            ? unit
            : throw JsonShape.Wrong(
                $"{Metadata}.{field}",
                "one of Datadog's units, in the singular, as in second or byte"
            );
    }

    private Task DescribeAsync(HttpContext context, Func<MetricMetadata, MetricMetadata> change)
    {
        var name = (string)context.GetRouteValue("name")!;
        var metric =
            store.Describe(name, change) ?? throw new ApiError(StatusCodes.Status404NotFound, $"{name} not found");
        var metadata = metric.Metadata;
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteString("type", metadata.Type ?? metric.Type.Name());
                json.WriteStringOrNull("unit", metadata.Unit);
                json.WriteStringOrNull("per_unit", metadata.PerUnit);
                json.WriteStringOrNull("description", metadata.Description);
                json.WriteStringOrNull("short_name", metadata.ShortName);
                json.WriteNull("integration");
                if (metadata.StatsdInterval is { } interval)
                {
                    json.WriteNumber("statsd_interval", interval);
                }
                else
                {
                    json.WriteNull("statsd_interval");
                }
            }
        );
    }
}
