using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace AgentlessDatadog.Signals.Events;

/// <summary>
/// Encodes an event for <c>/api/v1/events</c>, which refuses any field it does not know
/// (docs/reference/datadog.md §4.1).
/// </summary>
internal static class EventEncoder
{
    private const int MaxTitle = 500;
    private const int MaxText = 4000;
    private const int MaxKey = 100;
    private const int HashBytes = 8;

    public static byte[] Encode(DatadogEvent what, IReadOnlyList<string> globalTags)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("title"u8, Truncation.Cut(what.Title.ToString(), MaxTitle));
            writer.WriteString("text"u8, Truncation.Cut(what.Text.ToString(), MaxText));
            writer.WriteNumber("date_happened"u8, what.At.ToUnixTimeSeconds());
            writer.WriteString("priority"u8, what.LowPriority ? "low"u8 : "normal"u8);
            writer.WriteString("alert_type"u8, what.Alert.ToString().ToLowerInvariant());
            if (what.AggregationKey is { } key)
            {
                writer.WriteString("aggregation_key"u8, Distinct(key.ToString()));
            }

            if (what.SourceType is { } source)
            {
                writer.WriteString("source_type_name"u8, Truncation.Cut(source, MaxKey));
            }

            writer.WriteStartArray("tags"u8);
            foreach (var tag in TagSet.Of([.. what.Tags, .. globalTags]))
            {
                writer.WriteStringValue(tag);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return body.WrittenSpan.ToArray();
    }

    private static string Distinct(string key)
    {
        if (key.Length <= MaxKey)
        {
            return key;
        }

        var tail = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, HashBytes));
        return $"{Truncation.Cut(key, MaxKey - 1 - tail.Length)}~{tail}";
    }
}
