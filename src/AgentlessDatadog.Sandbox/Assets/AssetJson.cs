using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>What the bodies of all assets are read and written with.</summary>
internal static class AssetJson
{
    /// <summary>Who everything belongs to: the sandbox knows keys and no people.</summary>
    public const string Author = "sandbox@localhost";

    /// <summary>The organisation that every key belongs to.</summary>
    public const long OrgId = 1;

    /// <summary>The objects of a list; none where there is no list.</summary>
    public static IEnumerable<JsonElement> ItemsOf(this JsonElement parent, string field) =>
        parent.Has(field, JsonValueKind.Array, out var list) ? list.EnumerateArray() : [];

    /// <summary>The texts of a list; none where there is no list.</summary>
    public static IEnumerable<string> TextsOf(this JsonElement parent, string field) =>
        parent.ItemsOf(field).Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!);

    /// <summary>Text of a field; null where it is absent, null, or no text.</summary>
    public static string? TextOf(this JsonElement parent, string field) =>
        parent.Has(field, JsonValueKind.String, out var value) ? value.GetString() : null;

    /// <summary>Number of a field; null where it is absent, null, or no number.</summary>
    public static double? NumberOf(this JsonElement parent, string field) =>
        parent.Has(field, JsonValueKind.Number, out var value) ? value.GetDouble() : null;

    /// <summary>A field as a node of its own; null where it is absent or null.</summary>
    public static JsonNode? NodeOf(this JsonElement parent, string field) =>
        parent.TryGetProperty(field, out var value) ? JsonSerializer.SerializeToNode(value) : null;

    /// <summary>True where a field is a value of this kind.</summary>
    public static bool Has(this JsonElement parent, string field, JsonValueKind kind, out JsonElement value)
    {
        value = default;
        return parent.ValueKind == JsonValueKind.Object
            && parent.TryGetProperty(field, out value)
            && value.ValueKind == kind;
    }

    /// <summary>ISO 8601 to the microsecond, as Datadog writes times of assets.</summary>
    public static string TimeOf(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffff+00:00", CultureInfo.InvariantCulture);

    /// <exception cref="ApiError">400: a body is not as the published schema says. Fields that Datadog answers besides are none.</exception>
    public static void Require(
        JsonElement body,
        OpenApiSchema published,
        string schema,
        params ReadOnlySpan<string> answered
    )
    {
        JsonShape.Expect(body, JsonValueKind.Object, "payload", "an object");
        var sent = JsonObject.Create(body)!;
        foreach (var field in answered)
        {
            sent.Remove(field);
        }
        if (published.ErrorIn(JsonSerializer.SerializeToElement(sent), schema) is { } error)
        {
            throw ApiError.BadRequest($"Invalid payload: {error}");
        }
    }
}
