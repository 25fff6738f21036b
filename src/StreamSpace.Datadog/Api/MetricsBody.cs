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
/// Reads the body of <c>POST …/metrics</c>: one metric as in the spec, or <c>{"series":[…]}</c>. An invalid item
/// costs only itself.
/// </summary>
internal static class MetricsBody
{
    private static readonly string[] Fields = ["metric", "value", "type", "tags", "unit", "timestamp"];
    private static readonly string[] Types = [.. Enum.GetNames<MetricType>().Select(name => name.ToLowerInvariant())];

    /// <summary>
    /// Each item of <paramref name="body"/> in order, with every error of its form. What could not be read stands there as what
    /// no rule of a measurement lets pass, to be named by it.
    /// </summary>
    /// <exception cref="FormatException">The body as a whole is of neither form.</exception>
    public static IEnumerable<(Measurement? Read, string? Error)> Read(JsonElement body)
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
        string metric = "",
            type = "";
        var value = double.NaN;
        string? unit = null;
        DateTimeOffset? timestamp = null;
        IReadOnlyList<string>? tags = null;
        List<string>? errors = null;
        foreach (var property in item.EnumerateObject())
        {
            var given = property.Value;
            switch (property.Name)
            {
                case "metric":
                    metric = Text(given);
                    break;
                case "type":
                    type = Text(given);
                    break;
                case "value":
                    value = given.ValueKind == JsonValueKind.Number ? given.GetDouble() : double.NaN;
                    break;
                case "unit":
                    unit = given.ValueKind == JsonValueKind.Null ? null : Text(given);
                    break;
                case "tags":
                    tags = Tags(given);
                    Invalid(tags is null, "tags must be a list of texts such as custom:tag");
                    break;
                case "timestamp":
                    timestamp = Timestamp(given);
                    Invalid(
                        timestamp is null && given.ValueKind != JsonValueKind.Null,
                        "timestamp must be whole seconds since 1970"
                    );
                    break;
                case var name:
                    Invalid(true, Unknown(name));
                    break;
            }
        }
        return (
            new Measurement(metric, (MetricType)Array.IndexOf(Types, type), value, tags ?? [])
            {
                Unit = unit,
                Timestamp = timestamp,
                IsItem = true,
            },
            errors is null ? null : string.Join("; ", errors)
        );

        void Invalid(bool isInvalid, string error)
        {
            if (isInvalid)
            {
                (errors ??= []).Add(error);
            }
        }
    }

    private static string Text(JsonElement given) => given.ValueKind == JsonValueKind.String ? given.GetString()! : "";

    private static IReadOnlyList<string>? Tags(JsonElement given) =>
        given.ValueKind == JsonValueKind.Null ? []
        : given.ValueKind == JsonValueKind.Array
        && given.EnumerateArray().All(tag => tag.ValueKind == JsonValueKind.String)
            ? [.. given.EnumerateArray().Select(tag => tag.GetString()!)]
        : null;

    private static DateTimeOffset? Timestamp(JsonElement given) =>
        given.ValueKind == JsonValueKind.Number
        && given.TryGetInt64(out var seconds)
        && seconds is >= 0 and <= 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static string Unknown(string name)
    {
        var shown = name.Length > 40 ? string.Create(CultureInfo.InvariantCulture, $"{name[..40]}…") : name;
        var nearest = NearestName.Of(shown, Fields) is { } field ? $"; did you mean \"{field}\"?" : ".";
        return $"\"{shown}\" is not a field{nearest} The fields are {string.Join(", ", Fields)}";
    }
}
