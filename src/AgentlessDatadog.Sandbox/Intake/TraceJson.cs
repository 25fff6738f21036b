using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Reads the JSON body of <c>/v1/traces</c> (docs/reference/datadog.md §5.2): ids are hexadecimal, enums numbers, integers
/// of 64 bits decimal strings, unknown fields ignored.
/// </summary>
internal static class TraceJson
{
    private const string AnId = "a string of hexadecimal digits";

    /// <exception cref="ApiError">400, naming the place.</exception>
    public static List<IncomingSpan> Read(ReadOnlyMemory<byte> body) => JsonShape.Read(body, Read);

    private static List<IncomingSpan> Read(JsonElement root)
    {
        JsonShape.Expect(root, JsonValueKind.Object, "payload", "an object");
        var spans = new List<IncomingSpan>();
        foreach (var (resourceSpans, path) in List(root, "resourceSpans", ""))
        {
            SpanAttribute[] resource = JsonShape.Optional(
                resourceSpans,
                "resource",
                JsonValueKind.Object,
                path,
                "an object"
            )
                is { } sender
                ? [.. Attributes(sender, $"{path}.resource")]
                : [];
            foreach (var (scopeSpans, scopePath) in List(resourceSpans, "scopeSpans", $"{path}."))
            {
                foreach (var (span, spanPath) in List(scopeSpans, "spans", $"{scopePath}."))
                {
                    spans.Add(ReadSpan(span, new IncomingSpan { Path = spanPath, Resource = resource }));
                }
            }
        }
        return spans;
    }

    private static IncomingSpan ReadSpan(JsonElement json, IncomingSpan span)
    {
        var path = span.Path;
        span.TraceId = SpanIds.TraceOfHex(Id(json, "traceId", path), $"{path}.traceId");
        span.SpanId = SpanIds.SpanOfHex(Id(json, "spanId", path), $"{path}.spanId");
        span.ParentId = SpanIds.ParentOfHex(Id(json, "parentSpanId", path), $"{path}.parentSpanId");
        span.Name = JsonShape.OptionalText(json, "name", path) ?? "";
        span.Kind = KindOf(json, path);
        span.Start = Nanoseconds(json, "startTimeUnixNano", path);
        span.End = Nanoseconds(json, "endTimeUnixNano", path);
        span.Attributes.AddRange(Attributes(json, path));
        foreach (var (happened, eventPath) in List(json, "events", $"{path}."))
        {
            if (span.Exception.Count == 0 && JsonShape.OptionalText(happened, "name", eventPath) == "exception")
            {
                span.Exception.AddRange(Attributes(happened, eventPath));
            }
        }
        foreach (var (link, linkPath) in List(json, "links", $"{path}."))
        {
            span.Links.Add(
                new SpanLink(
                    SpanIds.TraceOfHex(Id(link, "traceId", linkPath), $"{linkPath}.traceId"),
                    SpanIds.SpanOfHex(Id(link, "spanId", linkPath), $"{linkPath}.spanId")
                )
            );
        }
        if (JsonShape.Optional(json, "status", JsonValueKind.Object, path, "an object") is { } status)
        {
            span.IsError = JsonShape.OptionalInteger(status, "code", $"{path}.status") == 2;
            span.StatusMessage = JsonShape.OptionalText(status, "message", $"{path}.status") ?? "";
        }
        return span;
    }

    private static string Id(JsonElement json, string name, string path) =>
        JsonShape.Optional(json, name, JsonValueKind.String, path, AnId)?.GetString() ?? "";

    private static SpanKind KindOf(JsonElement json, string path) =>
        (JsonShape.OptionalInteger(json, "kind", path) ?? 0) switch
        {
            >= 0 and <= (long)SpanKind.Consumer and var kind => (SpanKind)kind,
            _ => throw JsonShape.Wrong($"{path}.kind", "a number from 0 to 5"),
        };

    private static ulong Nanoseconds(JsonElement json, string name, string path) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? Whole<ulong>(value, NumberStyles.None, $"{path}.{name}", "nanoseconds since 1970, as a decimal string")
            : 0;

    private static IEnumerable<SpanAttribute> Attributes(JsonElement json, string path)
    {
        foreach (var (attribute, attributePath) in List(json, "attributes", $"{path}."))
        {
            var value = JsonShape.Optional(attribute, "value", JsonValueKind.Object, attributePath, "an object");
            yield return new SpanAttribute(
                JsonShape.RequiredText(attribute, "key", attributePath),
                value is { } one ? ValueOf(one, $"{attributePath}.value") : ""
            );
        }
    }

    private static object ValueOf(JsonElement value, string path)
    {
        foreach (var property in value.EnumerateObject())
        {
            var place = $"{path}.{property.Name}";
            switch (property.Name)
            {
                case "stringValue":
                    JsonShape.Expect(property.Value, JsonValueKind.String, place, "a string");
                    return property.Value.GetString()!;
                case "boolValue":
                    return property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False
                        ? property.Value.GetBoolean()
                        : throw JsonShape.Wrong(place, "true or false");
                case "intValue":
                    return Whole<long>(
                        property.Value,
                        NumberStyles.AllowLeadingSign,
                        place,
                        "a whole number, as a decimal string"
                    );
                case "doubleValue":
                    return property.Value.ValueKind == JsonValueKind.String
                        ? property.Value.GetString()!
                        : JsonShape.Number(property.Value, place);
                case "arrayValue" or "kvlistValue":
                    return ManyOf(property.Value, place, property.Name == "kvlistValue").ToJsonString();
                case "bytesValue":
                    JsonShape.Expect(property.Value, JsonValueKind.String, place, "a string in base64");
                    return property.Value.GetString()!;
            }
        }
        return "";
    }

    private static JsonNode ManyOf(JsonElement json, string path, bool isMap)
    {
        JsonShape.Expect(json, JsonValueKind.Object, path, "an object");
        if (!isMap)
        {
            return new JsonArray([.. List(json, "values", $"{path}.").Select(item => NodeOf(item.Item, item.Path))]);
        }
        var map = new JsonObject();
        foreach (var (item, itemPath) in List(json, "values", $"{path}."))
        {
            var value = JsonShape.Optional(item, "value", JsonValueKind.Object, itemPath, "an object");
            map[JsonShape.RequiredText(item, "key", itemPath)] = value is { } one ? NodeOf(one, itemPath) : null;
        }
        return map;
    }

    private static JsonNode? NodeOf(JsonElement value, string path) =>
        value.TryGetProperty("arrayValue", out var list) ? ManyOf(list, path, isMap: false)
        : value.TryGetProperty("kvlistValue", out var map) ? ManyOf(map, path, isMap: true)
        : JsonSerializer.SerializeToNode(ValueOf(value, path));

    private static T Whole<T>(JsonElement value, NumberStyles styles, string path, string what)
        where T : INumberBase<T> =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number
        && T.TryParse(
            value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText(),
            styles,
            CultureInfo.InvariantCulture,
            out var number
        )
            ? number
            : throw JsonShape.Wrong(path, what);

    /// <summary>The objects of a list that may be absent, each with its place.</summary>
    private static IEnumerable<(JsonElement Item, string Path)> List(JsonElement parent, string name, string prefix)
    {
        if (!parent.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }
        JsonShape.Expect(list, JsonValueKind.Array, $"{prefix}{name}", "a list");
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var path = $"{prefix}{name}[{index++}]";
            JsonShape.Expect(item, JsonValueKind.Object, path, "an object");
            yield return (item, path);
        }
    }
}
