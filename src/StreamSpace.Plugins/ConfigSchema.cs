using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamSpace.Plugins;

/// <summary>
/// A manifest's <c>configSchema</c>: the subset of JSON Schema that StreamSpace's manifests use
/// (docs/reference/streamspace.md §7.2). Reads as leniently as StreamSpace's own form writes (§7.3: integers and lists
/// arrive as text), and reports every error at once.
/// </summary>
public sealed class ConfigSchema
{
    private readonly JsonObject _properties;

    /// <summary>Takes the schema object; one without <c>properties</c> knows no key.</summary>
    public ConfigSchema(JsonObject schema) => _properties = schema["properties"] as JsonObject ?? [];

    /// <summary>The known keys, in the manifest's order.</summary>
    public IEnumerable<string> Keys => _properties.Select(p => p.Key);

    /// <summary>True for a key whose value is a secret (<c>format: password</c>).</summary>
    public bool IsSecret(string key) => Word(_properties[key] as JsonObject, "format") == "password";

    /// <summary>
    /// True for a key whose value names a place that secrets are sent to (<c>destination: true</c>): a kept secret does not
    /// follow a change of it that comes without the secret.
    /// </summary>
    public bool IsDestination(string key) =>
        _properties[key] is JsonObject property
        && property["destination"] is JsonValue value
        && value.TryGetValue(out bool isOne)
        && isOne;

    /// <summary>What is wrong with a key that is none of <see cref="Keys"/>, and which was meant, or which there are.</summary>
    public string OfUnknown(string key) =>
        NearestName.Of(key, Keys) is { } name
            ? $"is not a known key; did you mean \"{name}\"?"
            : $"is not a known key. The keys are {string.Join(", ", Keys)}.";

    /// <summary>A copy without secrets, unknown keys included: what may be shown.</summary>
    public JsonObject WithoutSecrets(JsonObject config) =>
        new(config.Where(p => !IsSecret(p.Key)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));

    /// <summary>
    /// Reads <paramref name="config"/>: known keys in their declared type, absent ones by their declared default
    /// (absent still when there is none). Errors go to <paramref name="errors"/>; an invalid key keeps its default.
    /// An explicit null is an absent key.
    /// </summary>
    public JsonObject Read(JsonObject config, ICollection<ConfigError> errors)
    {
        foreach (var key in config.Select(p => p.Key).Where(k => !_properties.ContainsKey(k)))
        {
            errors.Add(new ConfigError(key, OfUnknown(key)));
        }

        var values = new JsonObject();
        foreach (var (key, node) in _properties)
        {
            var property = node as JsonObject ?? [];
            var value = property["default"]?.DeepClone();
            if (config[key] is { } given)
            {
                var (read, error) = ReadValue(property, given);
                if (error is null)
                {
                    value = read;
                }
                else
                {
                    errors.Add(new ConfigError(key, error));
                }
            }
            if (value is not null)
            {
                values[key] = value;
            }
        }
        return values;
    }

    private static (JsonNode? Value, string? Error) ReadValue(JsonObject property, JsonNode given) =>
        Word(property, "type") switch
        {
            "boolean" => ReadBoolean(given),
            "integer" => ReadNumber(property, given, whole: true),
            "number" => ReadNumber(property, given, whole: false),
            "array" => ReadList(property, given),
            _ => ReadText(property, given),
        };

    private static (JsonNode?, string?) ReadBoolean(JsonNode given) =>
        given.GetValueKind() switch
        {
            JsonValueKind.True or JsonValueKind.False => (given.DeepClone(), null),
            JsonValueKind.String when bool.TryParse(given.GetValue<string>(), out var value) => (value, null),
            _ => (null, $"must be true or false, not {Kind(given)}."),
        };

    private static (JsonNode?, string?) ReadNumber(JsonObject property, JsonNode given, bool whole)
    {
        var what = whole ? "a whole number" : "a number";
        var minimum = Number(property, "minimum");
        var maximum = Number(property, "maximum");
        var allowed = (minimum, maximum) switch
        {
            ({ } low, { } high) => $"{what} from {Show(low)} to {Show(high)}",
            ({ } low, null) => $"{what} of at least {Show(low)}",
            (null, { } high) => $"{what} of at most {Show(high)}",
            _ => what,
        };
        var text = given.GetValueKind() switch
        {
            JsonValueKind.Number => given.ToJsonString(),
            JsonValueKind.String => given.GetValue<string>().Trim(),
            _ => null,
        };
        if (
            text is null
            || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || !double.IsFinite(number)
            || (whole && (number != Math.Floor(number) || Math.Abs(number) > 1L << 53))
        )
        {
            return (null, $"must be {allowed}, not {Kind(given)}.");
        }
        if (number < minimum || number > maximum)
        {
            return (null, $"must be {allowed}, not {Show(number)}.");
        }
        return (whole ? JsonValue.Create((long)number) : JsonValue.Create(number), null);
    }

    // A list, or what a plain text box makes of one: JSON text, or parts split by commas or lines.
    private static (JsonNode?, string?) ReadList(JsonObject property, JsonNode given)
    {
        if (given.GetValueKind() == JsonValueKind.String)
        {
            var text = given.GetValue<string>().Trim();
            if (!text.StartsWith('['))
            {
                var parts = text.Split(
                    [',', '\n', '\r'],
                    StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
                );
                return Bounded(new JsonArray([.. parts.Select(p => (JsonNode)p)]));
            }
            try
            {
                if (!JsonText.IsWhole(Encoding.UTF8.GetBytes(text)))
                {
                    return (null, "must be a list of texts; one is not Unicode text.");
                }
                given = JsonNode.Parse(text)!;
            }
            catch (JsonException)
            {
                return (null, "must be a list of texts; what begins with [ is not valid JSON.");
            }
        }
        return given is JsonArray list && list.All(i => i?.GetValueKind() == JsonValueKind.String)
            ? Bounded((JsonArray)list.DeepClone())
            : (null, $"must be a list of texts, not {(given is JsonArray ? "a list of other things" : Kind(given))}.");

        (JsonNode?, string?) Bounded(JsonArray list) =>
            list.Count > Number(property, "maxItems")
                ? (null, $"must have at most {Show(Number(property, "maxItems")!.Value)} entries, not {list.Count}.")
            : list.Any(i => i!.GetValue<string>().Any(char.IsControl))
                ? (null, "must hold no control characters, such as the ends of lines.")
            : (list, null);
    }

    private static (JsonNode?, string?) ReadText(JsonObject property, JsonNode given)
    {
        if (given.GetValueKind() != JsonValueKind.String)
        {
            return (null, $"must be text, not {Kind(given)}.");
        }
        var text = given.GetValue<string>().Trim();
        if (text.Length > Number(property, "maxLength"))
        {
            return (
                null,
                $"must have at most {Show(Number(property, "maxLength")!.Value)} characters, not {text.Length}."
            );
        }
        if (text.Any(char.IsControl))
        {
            return (null, "must hold no control characters, such as the end of a line.");
        }
        if (property["enum"] is JsonArray allowed)
        {
            var words = allowed.OfType<JsonValue>().Select(a => a.ToString()).ToList();
            if (!words.Contains(text))
            {
                var nearest = NearestName.Of(text, words) is { } word ? $" Did you mean {word}?" : "";
                return (null, $"must be one of {string.Join(", ", words)}.{nearest}");
            }
        }
        return (text, null);
    }

    private static string? Word(JsonObject? json, string key) =>
        json?[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static double? Number(JsonObject json, string key) =>
        json[key] is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : null;

    private static string Show(double number) => number.ToString(CultureInfo.InvariantCulture);

    // Says what kind of thing was given and never what it was: it may be a secret in the wrong place.
    private static string Kind(JsonNode given) =>
        given.GetValueKind() switch
        {
            JsonValueKind.String => "that text",
            JsonValueKind.Number => "that number",
            JsonValueKind.True or JsonValueKind.False => "a boolean",
            JsonValueKind.Array => "a list",
            _ => "an object",
        };
}
