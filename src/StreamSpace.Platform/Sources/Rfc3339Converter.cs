using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamSpace.Platform.Sources;

/// <summary>
/// Reads the times of Kubernetes and of NATS, which are RFC 3339. What comes with .NET also takes a date alone, and a time without an offset
/// for one of this machine's zone.
/// </summary>
internal sealed class Rfc3339Converter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && Rfc3339.TryParse(reader.GetString()!, out var time)
            ? time
            : throw new JsonException("A time is not RFC 3339.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);
}
