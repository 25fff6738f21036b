using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>The registry's records as text. A member that is added later must have a default.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(Life))]
[JsonSerializable(typeof(UsersTotalled))]
[JsonSerializable(typeof(ApiOutage))]
[JsonSerializable(typeof(SessionCreated))]
[JsonSerializable(typeof(SessionStarted))]
[JsonSerializable(typeof(SessionHibernated))]
[JsonSerializable(typeof(SessionWoken))]
[JsonSerializable(typeof(SessionFailed))]
[JsonSerializable(typeof(SessionEnded))]
[JsonSerializable(typeof(UserCreated))]
[JsonSerializable(typeof(UserDeleted))]
[JsonSerializable(typeof(UserLoggedIn))]
[JsonSerializable(typeof(UserLoggedOut))]
[JsonSerializable(typeof(ApiFailed))]
[JsonSerializable(typeof(ApiRecovered))]
internal sealed partial class RegistryJson : JsonSerializerContext
{
    /// <summary>Writes a record.</summary>
    public static string Write<T>(T record) => JsonSerializer.Serialize(record, InfoOf<T>());

    /// <summary>Reads a record back.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    public static T Read<T>(string text) =>
        JsonSerializer.Deserialize(text, InfoOf<T>()) ?? throw new JsonException("A record is null.");

    private static JsonTypeInfo<T> InfoOf<T>() => (JsonTypeInfo<T>)Default.GetTypeInfo(typeof(T))!;
}
