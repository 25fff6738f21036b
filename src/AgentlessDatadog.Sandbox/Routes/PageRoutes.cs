using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>The live page: its files, and the two questions that it asks without keys.</summary>
internal sealed class PageRoutes(
    MetricStore metrics,
    ArrivalStore<StoredEvent> events,
    ArrivalStore<StoredSpan> spans,
    ArrivalStore<StoredLog> logs,
    RequestHistory history,
    MetricReads reads,
    TimeProvider time
)
{
    private const int MaxMetrics = 500;
    private const int MaxEvents = 50;

    public void Map(IEndpointRouteBuilder routes)
    {
        MapFile(routes, "/", "index.html", "text/html; charset=utf-8");
        MapFile(routes, "/page.css", "page.css", "text/css; charset=utf-8");
        MapFile(routes, "/page.js", "page.js", "text/javascript; charset=utf-8");
        MapFile(routes, "/traces.css", "traces.css", "text/css; charset=utf-8");
        MapFile(routes, "/traces.js", "traces.js", "text/javascript; charset=utf-8");
        MapFile(routes, "/logs.js", "logs.js", "text/javascript; charset=utf-8");
        MapFile(routes, "/chart.js", "chart.js", "text/javascript; charset=utf-8");
        MapFile(routes, "/icon.svg", "icon.svg", "image/svg+xml");
        routes.MapRead("/sandbox/overview", OverviewAsync);
        routes.MapRead("/sandbox/query", reads.QueryAsync);
    }

    private static void MapFile(IEndpointRouteBuilder routes, string path, string name, string type)
    {
        using var resource =
            typeof(PageRoutes).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The page's {name} is not in the assembly.");
        using var copy = new MemoryStream();
        resource.CopyTo(copy);
        var bytes = copy.ToArray();
        routes.MapRead(
            path,
            async context =>
            {
                context.Response.ContentType = type;
                context.Response.ContentLength = bytes.Length;
                await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            }
        );
    }

    private Task OverviewAsync(HttpContext context)
    {
        var held = metrics.Count();
        var lines = metrics.Read(
            (all, _, _) =>
                all
                    .Values.OrderBy(metric => metric.Name, StringComparer.Ordinal)
                    .Take(MaxMetrics)
                    .Select(Line.Of)
                    .ToList()
        );
        var latest = events.Newest().Take(MaxEvents);
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteNumber("now", time.GetUtcNow().ToUnixTimeSeconds());
                json.WriteNumber("metric_count", held.Metrics);
                json.WriteNumber("series_count", held.Series);
                json.WriteNumber("point_count", held.Points);
                json.WriteNumber("event_count", events.Count().Held);
                json.WriteNumber("span_count", spans.Count().Held);
                json.WriteNumber("log_count", logs.Count().Held);
                json.WriteNumber("request_count", history.Total);
                json.WriteStartArray("metrics");
                foreach (var line in lines)
                {
                    line.Write(json);
                }
                json.WriteEndArray();
                json.WriteStartArray("events");
                foreach (var stored in latest)
                {
                    json.WriteStartObject();
                    EventRoutes.Write(json, stored);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
        );
    }

    /// <summary>What the page lists of a metric.</summary>
    private sealed record Line(string Name, string Type, string? Unit, int Series, long LastReceived)
    {
        public static Line Of(StoredMetric metric) =>
            new(
                metric.Name,
                metric.Metadata.Type ?? metric.Type.Name(),
                metric.Metadata.Unit,
                metric.Series.Count,
                metric.LastReceived
            );

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteString("type", Type);
            json.WriteStringOrNull("unit", Unit);
            json.WriteNumber("series", Series);
            json.WriteNumber("last_received", LastReceived);
            json.WriteEndObject();
        }
    }
}
