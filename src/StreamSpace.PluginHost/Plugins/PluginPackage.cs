using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace StreamSpace.PluginHost;

/// <summary>A package was refused; the message says why, and nothing of it is left.</summary>
internal sealed class PackageException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A plugin as one gzip tar: flat, or with one folder around it. It comes from elsewhere, so nothing in it is believed:
/// no path leaves its folder, there are only files and folders, and their number and size are bounded.
/// </summary>
internal static class PluginPackage
{
    /// <summary>Bytes of an archive that are taken at most.</summary>
    public const int LargestArchive = 100_000_000;

    private const long LargestContent = 400_000_000;
    private const int MostFiles = 5_000;

    /// <summary>True when the bytes have this SHA-256 in hex, in either case.</summary>
    public static bool HasChecksum(ReadOnlySpan<byte> archive, string sha256) =>
        string.Equals(Convert.ToHexString(SHA256.HashData(archive)), sha256.Trim(), StringComparison.OrdinalIgnoreCase);

    /// <summary>Unpacks into <paramref name="folder"/>, which is made for it and goes again when it fails.</summary>
    /// <exception cref="PackageException">It is no archive that can be taken.</exception>
    public static async Task UnpackAsync(byte[] archive, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        try
        {
            using var compressed = new MemoryStream(archive, writable: false);
            await using var unpacked = new GZipStream(compressed, CompressionMode.Decompress);
            await using var tar = new TarReader(unpacked);
            var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
            long content = 0;
            var files = 0;
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                content += entry.Length;
                if (++files > MostFiles || content > LargestContent)
                {
                    throw new PackageException($"It holds more than {MostFiles} files or {LargestContent} bytes.");
                }
                await WriteAsync(entry, root, cancellationToken);
            }
        }
        catch (Exception e)
        {
            Directory.Delete(folder, recursive: true);
            throw e as Exception is PackageException or OperationCanceledException
                ? e
                : new PackageException($"It is not a gzip tar that can be read: {e.Message}", e);
        }
    }

    private static async Task WriteAsync(TarEntry entry, string root, CancellationToken cancellationToken)
    {
        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
        {
            return;
        }
        var path = Path.GetFullPath(Path.Combine(root, entry.Name));
        if (
            entry.Name.Contains('\\', StringComparison.Ordinal)
            || Path.IsPathRooted(entry.Name)
            || !(path + Path.DirectorySeparatorChar).StartsWith(root, StringComparison.Ordinal)
        )
        {
            throw new PackageException("A path in it leaves its folder.");
        }
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                // A new file every time: a second entry of one name must not write through the first.
                await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
                {
                    if (entry.DataStream is { } data)
                    {
                        await data.CopyToAsync(file, cancellationToken);
                    }
                }
                break;
            default:
                throw new PackageException($"It holds a {entry.EntryType}: only files and folders are taken.");
        }
    }
}
