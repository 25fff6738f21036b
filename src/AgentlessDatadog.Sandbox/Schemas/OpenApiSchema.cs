using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Schemas;

/// <summary>
/// What Datadog publishes of its API (the JSON beside this file, docs/reference/datadog.md §8.1): fields,
/// types, enums and what is required. An object takes no field that its schema does not name; of a <c>oneOf</c> those
/// alternatives are asked whose <c>type</c>, <c>kind</c>, <c>data_source</c> and <c>request_type</c> are the value's.
/// </summary>
internal sealed class OpenApiSchema
{
    private const int MaxShown = 100;
    private const string References = "#/components/schemas/";

    private static readonly string[] Discriminators = ["type", "kind", "data_source", "request_type"];

    private readonly FrozenDictionary<string, JsonElement> _schemas;

    private OpenApiSchema(string file)
    {
        using var stream = typeof(OpenApiSchema).Assembly.GetManifestResourceStream(file)!;
        using var document = JsonDocument.Parse(stream);
        // By name: every reference is followed for every value, and to look one up in JSON is to look at all of them.
        _schemas = document
            .RootElement.GetProperty("components")
            .GetProperty("schemas")
            .Clone()
            .EnumerateObject()
            .ToFrozenDictionary(schema => schema.Name, schema => schema.Value);
    }

    /// <summary>Dashboards, monitors and SLOs.</summary>
    public static OpenApiSchema V1 { get; } = new("datadog-api-v1.json");

    /// <summary>Tag configurations, the catalogue and queries.</summary>
    public static OpenApiSchema V2 { get; } = new("datadog-api-v2.json");

    /// <summary>Null when a value is as the schema of this name says, else the first thing that is not.</summary>
    public SchemaError? ErrorIn(JsonElement value, string schema) => Check(Named(schema), value, "");

    private JsonElement Named(string name) => _schemas[name];

    private SchemaError? Check(JsonElement schema, JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.Null && IsTrue(schema, "nullable"))
        {
            return null;
        }
        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Check(Named(reference.GetString()![References.Length..]), value, path);
        }
        if (schema.TryGetProperty("oneOf", out var alternatives))
        {
            return CheckOneOf(alternatives, value, path);
        }
        // What is only ever answered is not looked at when it is sent back.
        if (!schema.TryGetProperty("type", out var type) || IsTrue(schema, "readOnly"))
        {
            return null;
        }
        if (!IsOf(type.GetString()!, value))
        {
            return new SchemaError(path, $"{Shown(value)} is not of type '{type}'");
        }
        if (schema.TryGetProperty("enum", out var values) && !IsAmong(values, value))
        {
            var known = string.Join(", ", values.EnumerateArray().Select(Shown));
            return new SchemaError(path, $"{Shown(value)} is not one of [{known}]");
        }
        return value.ValueKind switch
        {
            JsonValueKind.Object => CheckObject(schema, value, path),
            JsonValueKind.Array => CheckArray(schema, value, path),
            JsonValueKind.String => CheckText(schema, value, path),
            JsonValueKind.Number => CheckNumber(schema, value, path),
            _ => null,
        };
    }

    private SchemaError? CheckOneOf(JsonElement alternatives, JsonElement value, string path)
    {
        SchemaError? only = null;
        var asked = 0;
        foreach (var alternative in alternatives.EnumerateArray())
        {
            var schema = Resolved(alternative);
            if (IsOther(schema, value))
            {
                continue;
            }
            asked++;
            only = Check(schema, value, path);
            if (only is null)
            {
                return null;
            }
        }
        return asked == 1 ? only : new SchemaError(path, $"{Shown(value)} is not valid under any of the given schemas");
    }

    /// <summary>True when an alternative is told apart from the value by a field that is there for that.</summary>
    private bool IsOther(JsonElement schema, JsonElement value)
    {
        if (schema.TryGetProperty("oneOf", out var alternatives))
        {
            return alternatives.EnumerateArray().All(one => IsOther(Resolved(one), value));
        }
        return value.ValueKind == JsonValueKind.Object
            && schema.TryGetProperty("properties", out var properties)
            && Discriminators.Any(name =>
                value.TryGetProperty(name, out var said)
                && properties.TryGetProperty(name, out var property)
                && Resolved(property).TryGetProperty("enum", out var values)
                && !IsAmong(values, said)
            );
    }

    private SchemaError? CheckObject(JsonElement schema, JsonElement value, string path)
    {
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray())
            {
                if (!value.TryGetProperty(name.GetString()!, out _))
                {
                    return new SchemaError(path, $"'{name}' is a required property");
                }
            }
        }
        var hasProperties = schema.TryGetProperty("properties", out var properties);
        var hasOthers = schema.TryGetProperty("additionalProperties", out var others);
        foreach (var field in value.EnumerateObject())
        {
            var place = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (hasProperties && properties.TryGetProperty(field.Name, out var property))
            {
                if (Check(property, field.Value, place) is { } error)
                {
                    return error;
                }
            }
            else if (hasOthers && others.ValueKind == JsonValueKind.Object)
            {
                if (Check(others, field.Value, place) is { } error)
                {
                    return error;
                }
            }
            else if (hasProperties)
            {
                return new SchemaError(
                    path,
                    $"Additional properties are not allowed ('{field.Name.Truncate(MaxShown)}' was unexpected)"
                );
            }
        }
        return null;
    }

    private SchemaError? CheckArray(JsonElement schema, JsonElement value, string path)
    {
        var count = value.GetArrayLength();
        if (count < Bound(schema, "minItems", 0))
        {
            return new SchemaError(path, $"{Shown(value)} is too short");
        }
        if (count > Bound(schema, "maxItems", int.MaxValue))
        {
            return new SchemaError(path, $"{Shown(value)} is too long");
        }
        if (!schema.TryGetProperty("items", out var items))
        {
            return null;
        }
        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (Check(items, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]")) is { } error)
            {
                return error;
            }
        }
        return null;
    }

    private static SchemaError? CheckText(JsonElement schema, JsonElement value, string path)
    {
        var text = value.GetString()!;
        if (text.Length < Bound(schema, "minLength", 0))
        {
            return new SchemaError(path, $"{Shown(value)} is too short");
        }
        if (text.Length > Bound(schema, "maxLength", int.MaxValue))
        {
            return new SchemaError(path, $"{Shown(value)} is too long");
        }
        return
            schema.TryGetProperty("pattern", out var pattern)
            && !Regex.IsMatch(text, pattern.GetString()!, RegexOptions.NonBacktracking)
            ? new SchemaError(path, $"{Shown(value)} does not match '{pattern}'")
            : null;
    }

    private static SchemaError? CheckNumber(JsonElement schema, JsonElement value, string path)
    {
        var number = value.GetDouble();
        if (number < Bound(schema, "minimum", double.MinValue))
        {
            return new SchemaError(path, $"{Shown(value)} is less than the minimum of {schema.GetProperty("minimum")}");
        }
        return number > Bound(schema, "maximum", double.MaxValue)
            ? new SchemaError(path, $"{Shown(value)} is greater than the maximum of {schema.GetProperty("maximum")}")
            : null;
    }

    private JsonElement Resolved(JsonElement schema) =>
        schema.TryGetProperty("$ref", out var reference)
            ? Resolved(Named(reference.GetString()![References.Length..]))
            : schema;

    private static bool IsOf(string type, JsonElement value) =>
        type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            _ => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        };

    private static bool IsAmong(JsonElement values, JsonElement value) =>
        values.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value));

    private static bool IsTrue(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.True;

    private static double Bound(JsonElement schema, string keyword, double otherwise) =>
        schema.TryGetProperty(keyword, out var value) ? value.GetDouble() : otherwise;

    private static string Shown(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
            ? $"'{value.GetString()!.Truncate(MaxShown)}'"
            : value.GetRawText().Truncate(MaxShown);
}
