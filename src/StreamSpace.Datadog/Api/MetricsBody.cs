using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary>One item of the body that was not taken.</summary>
/// <param name="Index">Its place in <c>series</c>, from 0; 0 also for a body that is one metric.</param>
/// <param name="Reason">What was wrong and what is allowed.</param>
internal sealed record Rejected(int Index, string Reason);

/// <summary>
/// Reads the body of <c>POST …/metrics</c>: one metric as in the spec, or <c>{"series":[…]}</c>. A faulty item
/// costs only itself.
/// </summary>
internal static class MetricsBody
{
    private static readonly string[] Fields = ["metric", "value", "type", "tags", "unit", "timestamp"];
    private static readonly string[] Types = ["gauge", "count", "rate", "distribution"];

    /// <summary>
    /// Each item of <paramref name="body"/>, read or refused, in order.
    /// </summary>
    /// <exception cref="FormatException">The body as a whole is of neither form.</exception>
    public static IEnumerable<(Measurement? Read, string? Reason)> Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("The body must be one metric object, or {\"series\": [...]}.");
        }
        // By their bytes: a name that is no text cannot be compared otherwise.
        var list = body.EnumerateObject()
            .LastOrDefault(p => JsonMarshal.GetRawUtf8PropertyName(p).SequenceEqual("series"u8));
        if (list.Value is not { ValueKind: not JsonValueKind.Undefined } series)
        {
            return [ReadItem(body)];
        }
        if (series.ValueKind != JsonValueKind.Array || series.GetArrayLength() == 0)
        {
            throw new FormatException("\"series\" must be a list of at least one metric.");
        }
        return series.EnumerateArray().Select(ReadItem);
    }

    private static (Measurement?, string?) ReadItem(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return (null, "is not an object");
        }
        if (!JsonText.IsWhole(JsonMarshal.GetRawUtf8Value(item)))
        {
            return (null, "holds a string that is not Unicode text");
        }
        string? metric = null,
            type = null,
            unit = null;
        double? value = null;
        DateTimeOffset? timestamp = null;
        IReadOnlyList<string> tags = [];
        foreach (var property in item.EnumerateObject())
        {
            var given = property.Value;
            var fault = property.Name switch
            {
                "metric" => Text(given, out metric),
                "type" => Text(given, out type),
                "unit" => given.ValueKind == JsonValueKind.Null ? null : Text(given, out unit),
                "value" => Value(given, out value),
                "tags" => given.ValueKind == JsonValueKind.Null ? null : Tags(given, out tags),
                "timestamp" => given.ValueKind == JsonValueKind.Null ? null : Timestamp(given, out timestamp),
                _ => Unknown(property.Name),
            };
            if (fault is not null)
            {
                return (null, property.Name is var name && Fields.Contains(name) ? $"{name} {fault}" : fault);
            }
        }
        if (metric is null)
        {
            return (null, "metric is missing: give a name such as streamspace.custom.metric");
        }
        if (value is null)
        {
            return (null, "value is missing: give a number");
        }
        if (type is null || !Types.Contains(type))
        {
            return (
                null,
                $"type {(type is null ? "is missing" : "is unknown")}: give one of {string.Join(", ", Types)}"
            );
        }
        return (
            new Measurement(metric, Enum.Parse<MetricType>(type, ignoreCase: true), value.Value, tags)
            {
                Unit = unit,
                Timestamp = timestamp,
                IsItem = true,
            },
            null
        );
    }

    private static string? Text(JsonElement given, out string? text)
    {
        text = given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        return text is null ? "must be text" : null;
    }

    private static string? Value(JsonElement given, out double? value)
    {
        value = null;
        if (given.ValueKind != JsonValueKind.Number)
        {
            return "must be a number";
        }
        value = given.GetDouble();
        return null;
    }

    private static string? Tags(JsonElement given, out IReadOnlyList<string> tags)
    {
        tags = [];
        if (
            given.ValueKind != JsonValueKind.Array
            || given.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String)
        )
        {
            return "must be a list of texts such as custom:tag";
        }
        tags = [.. given.EnumerateArray().Select(t => t.GetString()!)];
        return null;
    }

    private static string? Timestamp(JsonElement given, out DateTimeOffset? timestamp)
    {
        timestamp = null;
        if (
            given.ValueKind == JsonValueKind.Number
            && given.TryGetInt64(out var seconds)
            && seconds is >= 0 and <= 253402300799
        )
        {
            timestamp = DateTimeOffset.FromUnixTimeSeconds(seconds);
            return null;
        }
        return "must be whole seconds since 1970";
    }

    private static string Unknown(string name)
    {
        var shown = name.Length > 40 ? string.Create(CultureInfo.InvariantCulture, $"{name[..40]}…") : name;
        var nearest = NearestName.Of(shown, Fields) is { } field ? $"; did you mean \"{field}\"?" : "";
        return $"\"{shown}\" is not a field{nearest}";
    }
}
