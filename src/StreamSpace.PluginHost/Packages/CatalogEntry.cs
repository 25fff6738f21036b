using System.Runtime.InteropServices;
using System.Text.Json;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Packages;

/// <summary>One plugin that can be installed.</summary>
/// <param name="Name">The plugin's name.</param>
/// <param name="Version">Three numbers.</param>
/// <param name="DisplayName">For people.</param>
/// <param name="Description">For people.</param>
/// <param name="Category">For people.</param>
/// <param name="Tags">For the search.</param>
/// <param name="DownloadUrl">Where the archive lies; relative to the catalogue, or absolute.</param>
/// <param name="Sha256">Checksum of the archive, in hex.</param>
internal sealed record CatalogEntry(
    string Name,
    string Version,
    string DisplayName,
    string Description,
    string Category,
    IReadOnlyList<string> Tags,
    string DownloadUrl,
    string Sha256
)
{
    private const int Sha256Digits = 64;

    /// <summary>The entry, or the reason why it cannot be offered.</summary>
    public static (CatalogEntry? Entry, string? Reason) Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return (null, "is not an object");
        }
        if (!JsonText.IsWhole(JsonMarshal.GetRawUtf8Value(json)))
        {
            return (null, "holds a string that is not Unicode text");
        }
        if (Text("name") is not { } name)
        {
            return (null, "name is missing");
        }
        if (Text("version") is not { } version)
        {
            return (null, "version is missing");
        }
        if (Text("downloadUrl") is not { } url || url.Any(char.IsControl))
        {
            return (null, "downloadUrl must be a path beside the catalogue, or an address");
        }
        if (Text("sha256")?.Trim() is not { Length: Sha256Digits } sha256 || !sha256.All(char.IsAsciiHexDigit))
        {
            return (null, "sha256 must be the 64 hex digits of the archive's checksum");
        }
        var tags =
            json.TryGetProperty("tags", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String).Select(t => t.GetString()!)
                : [];
        return (
            new CatalogEntry(
                name,
                version,
                Text("displayName") ?? name,
                Text("description") ?? "",
                Text("category") ?? "",
                [.. tags],
                url,
                sha256
            ),
            null
        );

        string? Text(string key) =>
            json.TryGetProperty(key, out var value)
            && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: > 0 } text
                ? text
                : null;
    }

    public bool Matches(string search) =>
        Tags.Prepend(Description)
            .Prepend(DisplayName)
            .Prepend(Name)
            .Any(text => text.Contains(search, StringComparison.OrdinalIgnoreCase));
}
