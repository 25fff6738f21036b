using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>One event as a search of events answers it; v1 shows it otherwise (<see cref="EventRoutes"/>).</summary>
internal static class EventEntryJson
{
    public static void Write(Utf8JsonWriter json, StoredEvent stored)
    {
        json.WriteString("id", FoundJson.IdOf(stored));
        json.WriteString("type", "event");
        json.WriteStartObject("attributes");
        json.WriteStartObject("attributes");
        json.WriteString("title", stored.Title);
        json.WriteString("status", stored.AlertType);
        json.WriteString("priority", stored.Priority);
        json.WriteNumber("timestamp", stored.DateHappened * 1_000);
        json.WriteStringOrNull("hostname", stored.Host);
        json.WriteStringOrNull("aggregation_key", stored.AggregationKey);
        json.WriteStartObject("evt");
        json.WriteString("id", stored.Id.ToString(CultureInfo.InvariantCulture));
        json.WriteString("type", "api");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteString("message", stored.Text);
        json.WriteStrings(
            "tags",
            stored.SourceTypeName is { } source ? stored.Tags.Append($"source:{source}") : stored.Tags
        );
        json.WriteString("timestamp", FoundJson.TimeOf(stored.Time));
        json.WriteEndObject();
    }
}
