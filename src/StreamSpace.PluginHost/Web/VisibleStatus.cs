using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.SignIn;

namespace StreamSpace.PluginHost.Web;

/// <summary>
/// Who sees what of a document about how things stand. Any user of StreamSpace may ask for one: he is shown figures,
/// switches and states. Sentences, which name paths, addresses and what went wrong there, are for operators.
/// </summary>
internal static class VisibleStatus
{
    // What stands under these names is a word of ours.
    private static readonly HashSet<string> Words =
    [
        "name",
        "displayName",
        "version",
        "route",
        "state",
        "since",
        "startedAt",
    ];

    /// <summary>The document, or what of it this caller is shown.</summary>
    public static JsonObject To(ClaimsPrincipal caller, JsonObject document) =>
        AccessRules.SeesAll(caller) ? document : Figures(document);

    private static JsonObject Figures(JsonObject document)
    {
        var shown = new JsonObject();
        foreach (var (key, value) in document)
        {
            // A name may be made of what it counts, such as an address.
            if (key.All(char.IsAsciiLetterOrDigit) && Figures(value, Words.Contains(key)) is { } figures)
            {
                shown[key] = figures;
            }
        }
        return shown;
    }

    private static JsonNode? Figures(JsonNode? value, bool isWord) =>
        value switch
        {
            JsonObject inner => Figures(inner),
            JsonArray list => new JsonArray([.. list.Select(item => Figures(item, isWord)).OfType<JsonNode>()]),
            JsonValue one when isWord || one.GetValueKind() is not JsonValueKind.String => one.DeepClone(),
            _ => null,
        };
}
