using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>One span as a search of spans answers it.</summary>
internal static class SpanJson
{
    public static void Write(Utf8JsonWriter json, StoredSpan span)
    {
        json.WriteString("id", FoundJson.IdOf(span));
        json.WriteString("type", "spans");
        json.WriteStartObject("attributes");
        json.WritePropertyName("custom");
        Custom(span).WriteTo(json);
        json.WriteString("start_timestamp", FoundJson.TimeOf(span.Start));
        json.WriteString("end_timestamp", FoundJson.TimeOf(span.End));
        json.WriteString("env", span.Env);
        json.WriteString("host", span.Host);
        json.WriteString("ingestion_reason", "otel");
        json.WriteString("operation_name", span.Operation);
        json.WriteString("parent_id", span.ParentId.ToString(CultureInfo.InvariantCulture));
        json.WriteString("resource_hash", TraceMetrics.HashOf(span.Resource));
        json.WriteString("resource_name", span.Resource);
        json.WriteString("service", span.Service);
        json.WriteBoolean("single_span", false);
        json.WriteString("span_id", span.SpanId.ToString(CultureInfo.InvariantCulture));
        json.WriteString("status", span.IsError ? "error" : "ok");
        json.WriteStrings("tags", Tags(span));
        json.WriteString("trace_id", SpanIds.Text(span.TraceId));
        json.WriteString("type", span.Type);
        json.WriteEndObject();
    }

    private static IEnumerable<string> Tags(StoredSpan span) =>
        new[]
        {
            NameRules.Tag("service", span.Service),
            NameRules.Tag("env", span.Env),
            NameRules.Tag("version", span.Version),
            NameRules.Tag("host", span.Host),
        }.OfType<string>();

    private static JsonObject Custom(StoredSpan span)
    {
        var custom = new JsonObject { ["duration"] = span.Duration };
        foreach (var (key, value) in span.AllAttributes)
        {
            Put(custom, key, NodeOf(value));
        }
        if (span.Links.Length > 0)
        {
            custom["span_links"] = new JsonArray([
                .. span.Links.Select(link => new JsonObject
                {
                    ["trace_id"] = SpanIds.Text(link.TraceId),
                    ["span_id"] = link.SpanId.ToString(CultureInfo.InvariantCulture),
                }),
            ]);
        }
        return custom;
    }

    private static JsonValue NodeOf(object value) =>
        value switch
        {
            bool flag => JsonValue.Create(flag),
            long number => JsonValue.Create(number),
            double number when double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(StoredSpan.TextOf(value)),
        };

    /// <summary>A key with dots opens an object in an object, where no value stands in the way.</summary>
    private static void Put(JsonObject custom, string key, JsonNode value)
    {
        for (
            var dot = key.IndexOf('.', StringComparison.Ordinal);
            dot > 0;
            dot = key.IndexOf('.', StringComparison.Ordinal)
        )
        {
            if (!custom.TryGetPropertyValue(key[..dot], out var inner))
            {
                inner = custom[key[..dot]] = new JsonObject();
            }
            if (inner is not JsonObject deeper)
            {
                break;
            }
            (custom, key) = (deeper, key[(dot + 1)..]);
        }
        custom[key] = value;
    }
}
