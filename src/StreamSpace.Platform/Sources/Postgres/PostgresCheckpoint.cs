using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Where the source has come to, as text.</summary>
/// <param name="High">The highest id of audit_log that was seen, or null before the first poll of it.</param>
/// <param name="Anchor">The time in that row.</param>
/// <param name="Holes">Ids below it that were missed.</param>
/// <param name="Accounts">Keys of the known accounts, or null before their first round.</param>
internal sealed record PostgresCheckpoint(
    long? High,
    DateTime? Anchor,
    IReadOnlyList<AuditHole> Holes,
    byte[]? Accounts
)
{
    /// <summary>By the server's clock: since when sessions are read, or null.</summary>
    public DateTimeOffset? SessionsSince { get; init; }

    /// <summary>By the server's clock: up to when every session is known, or null.</summary>
    public DateTimeOffset? SessionsReadAt { get; init; }

    /// <summary>Nothing was looked at yet.</summary>
    public static PostgresCheckpoint None { get; } = new(null, null, [], null);

    /// <summary>As text, short: it is kept often.</summary>
    public override string ToString() => JsonSerializer.Serialize(this, PostgresJson.Default.PostgresCheckpoint);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="JsonException">It did not write that.</exception>
    public static PostgresCheckpoint Parse(string text) =>
        JsonSerializer.Deserialize(text, PostgresJson.Default.PostgresCheckpoint) is { Holes: not null } read
            ? read
            : throw new JsonException("A checkpoint of the PostgreSQL source has no holes.");
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PostgresCheckpoint))]
internal sealed partial class PostgresJson : JsonSerializerContext;
