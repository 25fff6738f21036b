using System.Text.Json;
using System.Text.Json.Serialization;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>Facts as text: the name of the kind, a space, and JSON. A member that is added later must have a default.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true
)]
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
internal sealed partial class OwedText : JsonSerializerContext
{
    private static readonly Dictionary<string, Type> Kinds = new Type[]
    {
        typeof(SessionCreated),
        typeof(SessionStarted),
        typeof(SessionHibernated),
        typeof(SessionWoken),
        typeof(SessionFailed),
        typeof(SessionEnded),
        typeof(UserCreated),
        typeof(UserDeleted),
        typeof(UserLoggedIn),
        typeof(UserLoggedOut),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    public static string Write(PlatformEvent fact) =>
        $"{fact.GetType().Name} {JsonSerializer.Serialize(fact, fact.GetType(), Default)}";

    /// <exception cref="JsonException">It is no fact.</exception>
    public static PlatformEvent Read(string text)
    {
        var (kind, json) = text.Split(' ', 2) is [var word, var rest] ? (word, rest) : (text, "");
        return
            Kinds.TryGetValue(kind, out var type)
            && JsonSerializer.Deserialize(json, type, Default) is PlatformEvent fact
            ? fact
            : throw new JsonException($"{kind} is no fact.");
    }
}
