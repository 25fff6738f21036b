using System.Text.Json;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>Facts as text: the name of the kind, a space, and JSON.</summary>
internal static class FactText
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
        typeof(ApiFailed),
        typeof(ApiRecovered),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    public static string Write(PlatformFact fact) =>
        $"{fact.GetType().Name} {JsonSerializer.Serialize(fact, fact.GetType(), RegistryJson.Default)}";

    /// <exception cref="JsonException">It is no fact.</exception>
    public static PlatformFact Read(string text)
    {
        var (kind, json) = text.Split(' ', 2) is [var word, var rest] ? (word, rest) : (text, "");
        return
            Kinds.TryGetValue(kind, out var type)
            && JsonSerializer.Deserialize(json, type, RegistryJson.Default) is PlatformFact fact
            ? fact
            : throw new JsonException($"{kind} is no fact.");
    }
}
