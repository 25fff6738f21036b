using System.Net;
using System.Text.Json;
using StreamSpace.PluginHost.Data;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Packages;

/// <summary>The catalogue cannot be read; the message says why.</summary>
internal sealed class CatalogException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a catalogue offers, and which of its entries cannot be offered.</summary>
/// <param name="Entries">Those that can be installed.</param>
/// <param name="Refused">The others, by their place from 0.</param>
internal sealed record CatalogContents(
    IReadOnlyList<CatalogEntry> Entries,
    IReadOnlyList<(int Index, string Reason)> Refused
);

/// <summary>
/// What <c>CATALOG_URL</c> offers: a <c>catalog.json</c> in the form of StreamSpace's own (docs/reference/streamspace.md
/// §7.4) with a <c>sha256</c> for each entry, in a folder or behind http. An entry without one is not offered: what
/// cannot be checked is not installed.
/// </summary>
internal sealed class PluginCatalog(string? location, TimeProvider clock) : IDisposable
{
    private const int LargestCatalog = 5_000_000;

    // For the whole of what is read: a server that drips must not hold its caller for ever.
    private static readonly TimeSpan CatalogTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ArchiveTimeout = TimeSpan.FromMinutes(10);

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = RequestJson.Deepest };

    private readonly HttpClient _http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, Proxy = new ProxyToOthers(HttpClient.DefaultProxy) }
    )
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Whether there is one.</summary>
    public bool IsSet => !string.IsNullOrWhiteSpace(location);

    /// <summary>What it offers. An entry that is not right costs only itself.</summary>
    /// <exception cref="CatalogException">It is away, or is no catalogue.</exception>
    public async Task<CatalogContents> ReadAsync(CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await CopyAsync("catalog.json", bytes, LargestCatalog, CatalogTimeout, cancellationToken);
        bytes.Position = 0;
        try
        {
            using var json = JsonDocument.Parse(bytes, Strict);
            return json.RootElement.ValueKind == JsonValueKind.Array
                ? Read(json.RootElement)
                : throw new CatalogException("catalog.json is not a JSON list.");
        }
        catch (JsonException e)
        {
            throw new CatalogException(
                $"catalog.json is not valid JSON at {JsonText.Place(e)}, or nests deeper than {RequestJson.Deepest}.",
                e
            );
        }
    }

    /// <summary>Writes the archive of an entry into <paramref name="file"/>, and verifies its checksum.</summary>
    /// <exception cref="CatalogException">It is away or too large.</exception>
    /// <exception cref="PackageException">It is not the archive that the catalogue names.</exception>
    public async Task DownloadAsync(CatalogEntry entry, Stream file, CancellationToken cancellationToken)
    {
        await CopyAsync(entry.DownloadUrl, file, PluginPackage.LargestArchive, ArchiveTimeout, cancellationToken);
        file.Position = 0;
        if (!await PluginPackage.HasChecksumAsync(file, entry.Sha256, cancellationToken))
        {
            throw new PackageException(
                $"The archive of {entry.Name} does not have the checksum that the catalogue names."
            );
        }
    }

    private static CatalogContents Read(JsonElement list)
    {
        var entries = new List<CatalogEntry>();
        var refused = new List<(int, string)>();
        foreach (var (index, item) in list.EnumerateArray().Index())
        {
            var (entry, reason) = CatalogEntry.Read(item);
            if (entry is null)
            {
                refused.Add((index, reason!));
            }
            else
            {
                entries.Add(entry);
            }
        }
        return new CatalogContents(entries, refused);
    }

    private async Task CopyAsync(
        string what,
        Stream target,
        int largest,
        TimeSpan within,
        CancellationToken cancellationToken
    )
    {
        using var late = new CancellationTokenSource(within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            if (Address(what) is not { } address)
            {
                await using var file = File.OpenRead(InFolder(what));
                await CopyAsync(file, target, largest, either.Token);
                return;
            }
            using var answer = await _http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if ((int)answer.StatusCode is >= 300 and < 400)
            {
                throw new CatalogException(
                    "The catalogue cannot be read: a redirect is the answer, which is not followed; name the address itself."
                );
            }
            await using var stream = await answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(either.Token);
            await CopyAsync(stream, target, largest, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CatalogException("The catalogue cannot be read: it did not answer in time.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException)
        {
            throw new CatalogException($"The catalogue cannot be read: {SafeErrorText.Of(e, Folder)}", e);
        }
    }

    // Null for what lies in a folder.
    private Uri? Address(string what)
    {
        if (!Uri.TryCreate(location!.TrimEnd('/') + "/", UriKind.Absolute, out var root) || !IsWeb(root))
        {
            return Uri.TryCreate(what, UriKind.Absolute, out var elsewhere) && IsWeb(elsewhere)
                ? Safe(elsewhere, "An entry of the catalogue", mayBeHere: true)
                : null;
        }
        Safe(root, "CATALOG_URL", mayBeHere: true);
        return Uri.TryCreate(root, what, out var address) && IsWeb(address)
            ? Safe(address, "An entry of the catalogue", mayBeHere: root.IsLoopback)
            : throw new CatalogException("An entry of the catalogue has a downloadUrl that is neither http nor https.");
    }

    // What is installed runs with our rights. Over plain http anyone on the way says what that is, for the checksum comes
    // the same way; and a catalogue from elsewhere sends us to no service of this machine.
    private static Uri Safe(Uri address, string what, bool mayBeHere) =>
        address.IsLoopback
            ? mayBeHere
                ? address
                : throw new CatalogException(
                    $"{what} names {address.Authority}, which is this machine, and it does not come from here."
                )
            : address.Scheme == Uri.UriSchemeHttps
                ? address
                : throw new CatalogException(
                    $"{what} names {address.Scheme}://{address.Authority}; what can be installed comes over https, from this machine or from a folder."
                );

    private static bool IsWeb(Uri address) => address.Scheme is "http" or "https";

    private string Folder =>
        Path.TrimEndingDirectorySeparator(
            Path.GetFullPath(
                Uri.TryCreate(location, UriKind.Absolute, out var root) && root.IsFile ? root.LocalPath : location!
            )
        );

    private string InFolder(string what)
    {
        var folder = Folder + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(Path.Combine(folder, what));
        return path.StartsWith(folder, StringComparison.Ordinal) && path.Length > folder.Length
            ? path
            : throw new CatalogException("An entry of the catalogue lies outside of its folder.");
    }

    private static async Task CopyAsync(Stream from, Stream target, int largest, CancellationToken cancellationToken)
    {
        var part = new byte[81920];
        int length;
        while ((length = await from.ReadAsync(part, cancellationToken)) > 0)
        {
            if (target.Length + length > largest)
            {
                throw new CatalogException($"What the catalogue offers is larger than {largest} bytes.");
            }
            await target.WriteAsync(part.AsMemory(0, length), cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();

    // A proxy elsewhere could answer in the place of this machine.
    private sealed class ProxyToOthers(IWebProxy proxy) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => proxy.Credentials;
            set => proxy.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => proxy.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || proxy.IsBypassed(host);
    }
}
