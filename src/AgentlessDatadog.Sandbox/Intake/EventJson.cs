using System.Text.Json;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Reads the body of <c>POST /api/v1/events</c> (docs/reference/datadog.md §4.1): one event, eleven fields, no other.</summary>
internal static class EventJson
{
    private const int MaxText = 4_000;
    private const int MaxAggregationKey = 100;
    private const string Root = "event";

    private static readonly string[] Fields =
    [
        "title",
        "text",
        "date_happened",
        "priority",
        "alert_type",
        "aggregation_key",
        "source_type_name",
        "tags",
        "host",
        "device_name",
        "related_event_id",
    ];

    private static readonly string[] Priorities = ["normal", "low"];

    private static readonly string[] AlertTypes =
    [
        "error",
        "warning",
        "info",
        "success",
        "user_update",
        "recommendation",
        "snapshot",
    ];

    /// <summary>Reads one event; <paramref name="now"/> in POSIX seconds dates one that has no date.</summary>
    /// <exception cref="ApiError">400, naming the field.</exception>
    public static StoredEvent Read(ReadOnlyMemory<byte> body, long now) =>
        JsonShape.Read(body, json => Read(json, now));

    private static StoredEvent Read(JsonElement json, long now)
    {
        JsonShape.Expect(json, JsonValueKind.Object, Root, "an object");
        foreach (var property in json.EnumerateObject())
        {
            if (!Fields.Contains(property.Name))
            {
                throw ApiError.BadRequest($"{Root}: unknown field; an event has {string.Join(", ", Fields)}");
            }
        }

        var title = JsonShape.RequiredText(json, "title", Root);
        if (title.Length == 0)
        {
            throw JsonShape.Wrong($"{Root}.title", "a non-empty string");
        }
        return new StoredEvent
        {
            Title = title,
            Text = AtMost(JsonShape.RequiredText(json, "text", Root), MaxText, "text"),
            DateHappened = DateOf(json, now),
            Priority = OneOf(json, "priority", Priorities) ?? "normal",
            AlertType = OneOf(json, "alert_type", AlertTypes) ?? "info",
            AggregationKey = JsonShape.OptionalText(json, "aggregation_key", Root) is { } key
                ? AtMost(key, MaxAggregationKey, "aggregation_key")
                : null,
            SourceTypeName = JsonShape.OptionalText(json, "source_type_name", Root),
            Host = JsonShape.OptionalText(json, "host", Root),
            DeviceName = JsonShape.OptionalText(json, "device_name", Root),
            RelatedEventId = JsonShape.OptionalInteger(json, "related_event_id", Root),
            Tags = JsonShape.Strings(json, "tags", Root),
        };
    }

    private static long DateOf(JsonElement json, long now)
    {
        var date = JsonShape.OptionalInteger(json, "date_happened", Root) ?? now;
        if (date < now - TimeWindow.EventPast)
        {
            throw TooFar("past");
        }
        return date <= now + TimeWindow.EventFuture ? date : throw TooFar("future");
    }

    private static ApiError TooFar(string direction) =>
        new(StatusCodes.Status400BadRequest, $"Event too far in the {direction}") { Form = ErrorForm.PlainText };

    // Whether Datadog cuts or refuses a longer text is not known (§4.1); here it is refused.
    private static string AtMost(string text, int max, string field) =>
        text.Length <= max ? text : throw JsonShape.Wrong($"{Root}.{field}", $"at most {max} characters");

    private static string? OneOf(JsonElement json, string field, string[] allowed)
    {
        var text = JsonShape.OptionalText(json, field, Root);
        return text is null || allowed.Contains(text)
            ? text
            : throw JsonShape.Wrong($"{Root}.{field}", $"one of {string.Join(", ", allowed)}");
    }
}
