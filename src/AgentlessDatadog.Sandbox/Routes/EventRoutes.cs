using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Taking and showing events, v1 (docs/reference/datadog.md §4.1).</summary>
internal sealed class EventRoutes(
    ApiKeys keys,
    ArrivalStore<StoredEvent> events,
    DropList drops,
    IntakeLimiter limiter,
    TimeProvider time
)
{
    private const int MaxListed = 1_000;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(IntakeRoute.Events.Path, TakeAsync).AllowAtIntake();
        routes.MapRead(IntakeRoute.Events.Path, ListAsync);
        routes.MapRead("/api/v1/events/{id}", GetAsync);
    }

    /// <summary>One event as Datadog shows it.</summary>
    public static void Write(Utf8JsonWriter json, StoredEvent stored)
    {
        json.WriteNumber("id", stored.Id);
        json.WriteString("id_str", stored.Id.ToString(CultureInfo.InvariantCulture));
        json.WriteString("title", stored.Title);
        json.WriteString("text", stored.Text);
        json.WriteNumber("date_happened", stored.DateHappened);
        json.WriteNull("handle");
        json.WriteString("priority", stored.Priority);
        json.WriteString("alert_type", stored.AlertType);
        json.WriteStringOrNull("aggregation_key", stored.AggregationKey);
        json.WriteStringOrNull("source", stored.SourceTypeName);
        json.WriteStringOrNull("host", stored.Host);
        json.WriteStringOrNull("device_name", stored.DeviceName);
        if (stored.RelatedEventId is { } related)
        {
            json.WriteNumber("related_event_id", related);
        }
        json.WriteStrings("tags", stored.Tags);
        json.WriteString("url", $"/api/v1/events/{stored.Id}");
    }

    private async Task TakeAsync(HttpContext context)
    {
        keys.RequireApiKey(context.Request);
        var now = time.GetUtcNow();
        var incoming = await limiter.TakeAsync(
            context,
            IntakeRoute.Events,
            body => EventJson.Read(body.Memory, now.ToUnixTimeSeconds())
        );
        var stored = incoming with { Tags = Normalise(incoming.Tags, now) };
        events.Add(stored);
        await JsonResponse.WriteAsync(
            context,
            StatusCodes.Status202Accepted,
            json =>
            {
                json.WriteString("status", "ok");
                json.WriteStartObject("event");
                Write(json, stored);
                json.WriteEndObject();
            }
        );
    }

    private Task ListAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        var start = JsonResponse.Integer(context.Request, "start");
        var end = JsonResponse.Integer(context.Request, "end");
        var priority = context.Request.Query["priority"].ToString();
        var sources = Words(context.Request, "sources");
        var tags = Words(context.Request, "tags").Select(NameRules.TagPattern).ToArray();
        var list = events
            .Newest()
            .Where(stored =>
                stored.DateHappened >= start
                && stored.DateHappened <= end
                && (priority.Length == 0 || stored.Priority == priority)
                && (sources.Length == 0 || sources.Contains(stored.SourceTypeName))
                && tags.All(stored.Tags.Contains)
            )
            .Take(MaxListed)
            .ToList();
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartArray("events");
                foreach (var stored in list)
                {
                    json.WriteStartObject();
                    Write(json, stored);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteString("status", "ok");
            }
        );
    }

    private Task GetAsync(HttpContext context)
    {
        keys.RequireBothKeys(context.Request);
        if (
            !long.TryParse((string?)context.GetRouteValue("id"), CultureInfo.InvariantCulture, out var id)
            || Array.Find(events.Newest(), held => held.Id == id) is not { } stored
        )
        {
            throw new ApiError(StatusCodes.Status404NotFound, "No event matches that event_id");
        }
        return JsonResponse.OkAsync(
            context,
            json =>
            {
                json.WriteStartObject("event");
                Write(json, stored);
                json.WriteEndObject();
                json.WriteString("status", "ok");
            }
        );
    }

    private List<string> Normalise(IReadOnlyList<string> sent, DateTimeOffset now)
    {
        var tags = new List<string>(sent.Count);
        foreach (var raw in sent)
        {
            if (NameRules.Tag(raw, out var reason) is { } tag)
            {
                tags.Add(tag);
            }
            else
            {
                drops.Add(new DroppedItem(now, reason, "event", raw.Truncate(NameRules.MaxLength)));
            }
        }
        return tags;
    }

    private static string[] Words(HttpRequest request, string parameter) =>
        request
            .Query[parameter]
            .ToString()
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
