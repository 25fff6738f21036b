using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Faults;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>What Datadog does not have: a look at what was dropped, at the requests, and faults on demand.</summary>
internal sealed class SandboxRoutes(
    DropList drops,
    MetricStore metrics,
    ArrivalStore<StoredEvent> events,
    ArrivalStore<StoredSpan> spans,
    ArrivalStore<StoredLog> logs,
    FaultTable faults,
    RequestHistory history
)
{
    private const int MaxFaultBytes = 1 << 20;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/healthz", context => JsonResponse.OkAsync(context, json => json.WriteString("status", "ok")));
        routes.MapRead("/sandbox/dropped", DroppedAsync);
        routes.MapRead("/sandbox/requests", RequestsAsync);
        routes.MapRead("/sandbox/payloads", PayloadsAsync);
        routes.MapRead("/sandbox/faults", FaultsAsync);
        routes.MapPost("/sandbox/faults", AddFaultAsync);
        routes.MapDelete(
            "/sandbox/faults",
            context =>
            {
                faults.Clear();
                return FaultsAsync(context);
            }
        );
    }

    private Task DroppedAsync(HttpContext context)
    {
        var (items, totals) = drops.Read();
        var held = metrics.Count();
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteNumber("total", totals.Sum(total => total.Count));
                json.WriteStartObject("by_reason");
                foreach (var (reason, count) in totals)
                {
                    json.WriteNumber(reason.Name(), count);
                }
                json.WriteEndObject();
                json.WriteStartObject("evicted");
                json.WriteNumber("points", held.EvictedPoints);
                json.WriteNumber("series", held.EvictedSeries);
                json.WriteNumber("events", events.Count().Evicted);
                json.WriteNumber("spans", spans.Count().Evicted);
                json.WriteNumber("logs", logs.Count().Evicted);
                json.WriteEndObject();
                json.WriteStartArray("items");
                foreach (var item in items)
                {
                    Write(json, item);
                }
                json.WriteEndArray();
            }
        );
    }

    private static void Write(Utf8JsonWriter json, DroppedItem item)
    {
        json.WriteStartObject();
        json.WriteString("time", item.Time);
        json.WriteString("reason", item.Reason.Name());
        json.WriteString("metric", item.Metric);
        json.WriteString("detail", item.Detail);
        if (item.Value is { } value)
        {
            // Text where JSON has no number for it.
            if (double.IsFinite(value))
            {
                json.WriteNumber("value", value);
            }
            else
            {
                json.WriteString("value", value.ToString(CultureInfo.InvariantCulture));
            }
        }
        if (item.Timestamp is { } timestamp)
        {
            json.WriteNumber("timestamp", timestamp);
        }
        json.WriteEndObject();
    }

    private Task RequestsAsync(HttpContext context) =>
        JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteNumber("total", history.Total);
                json.WriteStartArray("requests");
                foreach (var record in history.Requests(PathOf(context.Request)))
                {
                    json.WriteStartObject();
                    Write(json, record);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
        );

    private Task PayloadsAsync(HttpContext context) =>
        JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartArray("payloads");
                foreach (var record in history.Payloads(PathOf(context.Request)))
                {
                    json.WriteStartObject();
                    Write(json, record);
                    json.WriteBase64String("body", record.Payload);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
        );

    private static void Write(Utf8JsonWriter json, RequestRecord record)
    {
        json.WriteString("time", record.Time);
        json.WriteString("method", record.Method);
        json.WriteString("path", record.Path);
        json.WriteNumber("status", record.Status);
        json.WriteStringOrNull("content_type", record.MediaType);
        json.WriteString("encoding", record.Encoding);
        json.WriteNumber("wire_bytes", record.WireBytes);
        json.WriteNumber("raw_bytes", record.RawBytes);
    }

    private async Task AddFaultAsync(HttpContext context)
    {
        faults.Add(Fault.Parse(await SmallBody.ReadAsync(context, MaxFaultBytes)));
        await FaultsAsync(context);
    }

    private Task FaultsAsync(HttpContext context) =>
        JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartArray("faults");
                foreach (var fault in faults.List())
                {
                    Write(json, fault);
                }
                json.WriteEndArray();
            }
        );

    private static void Write(Utf8JsonWriter json, Fault fault)
    {
        json.WriteStartObject();
        json.WriteString("path", fault.Path.Text);
        json.WriteNumber("left", fault.Left);
        if (fault.Status is { } status)
        {
            json.WriteNumber("status", status);
        }
        json.WriteNumber("delayMs", (long)fault.Delay.TotalMilliseconds);
        if (fault.Disconnect != Disconnect.None)
        {
            json.WriteString("cut", fault.Disconnect == Disconnect.BeforeBody ? "before" : "after");
        }
        json.WriteEndObject();
    }

    private static PathPattern PathOf(HttpRequest request) => new(request.Query["path"].ToString());
}
