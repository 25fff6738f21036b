using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamSpace.PluginHost;

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
    public bool Matches(string search) =>
        Tags.Prepend(Description)
            .Prepend(DisplayName)
            .Prepend(Name)
            .Any(text => text.Contains(search, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The catalogue cannot be read; the message says why.</summary>
internal sealed class CatalogException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// What <c>CATALOG_URL</c> offers: a <c>catalog.json</c> in the form of StreamSpace's own (reference/streamspace.md
/// §5.4) with a <c>sha256</c> for each entry, in a folder or behind http. An entry without one is not offered: what
/// cannot be checked is not installed.
/// </summary>
internal sealed class PluginCatalog(string? location, HttpClient http)
{
    private const int LargestCatalog = 5_000_000;

    /// <summary>Whether there is one.</summary>
    public bool IsSet => !string.IsNullOrWhiteSpace(location);

    /// <summary>What it offers.</summary>
    /// <exception cref="CatalogException">It is away, or is no catalogue.</exception>
    public async Task<IReadOnlyList<CatalogEntry>> ReadAsync(CancellationToken cancellationToken)
    {
        var bytes = await ReadAsync("catalog.json", LargestCatalog, cancellationToken);
        try
        {
            return
                JsonNode.Parse(bytes, null, new JsonDocumentOptions { MaxDepth = Bodies.Deepest }) is JsonArray entries
                ? [.. entries.OfType<JsonObject>().Select(Entry).OfType<CatalogEntry>()]
                : throw new CatalogException("The catalogue is not a JSON list.");
        }
        catch (JsonException e)
        {
            throw new CatalogException("The catalogue is not JSON.", e);
        }
    }

    /// <summary>The archive of an entry, its checksum verified.</summary>
    /// <exception cref="CatalogException">It is away or too large.</exception>
    /// <exception cref="PackageException">It is not the archive that the catalogue names.</exception>
    public async Task<byte[]> DownloadAsync(CatalogEntry entry, CancellationToken cancellationToken)
    {
        var archive = await ReadAsync(entry.DownloadUrl, PluginPackage.LargestArchive, cancellationToken);
        return PluginPackage.HasChecksum(archive, entry.Sha256)
            ? archive
            : throw new PackageException(
                $"The archive of {entry.Name} does not have the checksum that the catalogue names."
            );
    }

    private async Task<byte[]> ReadAsync(string what, int largest, CancellationToken cancellationToken)
    {
        try
        {
            if (Uri.TryCreate(location, UriKind.Absolute, out var root) && root.Scheme is "http" or "https")
            {
                var address = new Uri(new Uri(root.ToString().TrimEnd('/') + "/"), what);
                using var answer = await http.GetAsync(
                    address,
                    HttpCompletionOption.ResponseHeadersRead,
                    cancellationToken
                );
                answer.EnsureSuccessStatusCode();
                await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
                return await ReadAsync(body, largest, cancellationToken);
            }
            var folder =
                Path.GetFullPath(root is { IsFile: true } ? root.LocalPath : location!) + Path.DirectorySeparatorChar;
            var path = Path.GetFullPath(Path.Combine(folder, what));
            if (!path.StartsWith(folder, StringComparison.Ordinal))
            {
                throw new CatalogException("An entry of the catalogue lies outside of its folder.");
            }
            await using var file = File.OpenRead(path);
            return await ReadAsync(file, largest, cancellationToken);
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or UnauthorizedAccessException or UriFormatException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            throw new CatalogException($"The catalogue cannot be read: {e.Message}", e);
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int largest, CancellationToken cancellationToken)
    {
        using var read = new MemoryStream();
        var part = new byte[81920];
        int length;
        while ((length = await stream.ReadAsync(part, cancellationToken)) > 0)
        {
            if (read.Length + length > largest)
            {
                throw new CatalogException($"What the catalogue offers is larger than {largest} bytes.");
            }
            read.Write(part, 0, length);
        }
        return read.ToArray();
    }

    private static CatalogEntry? Entry(JsonObject json)
    {
        var (name, version, url, sha256) = (Text("name"), Text("version"), Text("downloadUrl"), Text("sha256"));
        return name is null || version is null || url is null || sha256 is null
            ? null
            : new CatalogEntry(
                name,
                version,
                Text("displayName") ?? name,
                Text("description") ?? "",
                Text("category") ?? "",
                [.. (json["tags"] as JsonArray ?? []).OfType<JsonValue>().Select(t => t.ToString())],
                url,
                sha256
            );

        string? Text(string key) => json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
    }
}
