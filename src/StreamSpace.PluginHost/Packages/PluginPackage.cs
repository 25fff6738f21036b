using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using StreamSpace.PluginHost.Data;

namespace StreamSpace.PluginHost.Packages;

/// <summary>A package was refused; the message says why, and nothing of it is left.</summary>
internal sealed class PackageException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A plugin as one gzip tar: flat, or with one folder around it. No path leaves its folder, there are only files and folders,
/// and their number and size are bounded: what is wrong with it is told before its code, which we trust, is loaded.
/// </summary>
internal static class PluginPackage
{
    /// <summary>Bytes of an archive that are taken at most.</summary>
    public const int LargestArchive = 100_000_000;

    private const long LargestContent = 400_000_000;
    private const int MostFiles = 5_000;

    /// <summary>True when the bytes have this SHA-256 in hex, in either case.</summary>
    public static async Task<bool> HasChecksumAsync(
        Stream archive,
        string sha256,
        CancellationToken cancellationToken
    ) =>
        string.Equals(
            Convert.ToHexString(await SHA256.HashDataAsync(archive, cancellationToken)),
            sha256,
            StringComparison.OrdinalIgnoreCase
        );

    /// <summary>Unpacks into <paramref name="folder"/>, which is made for it. What it held until it failed is left there.</summary>
    /// <exception cref="PackageException">It is no archive that can be taken.</exception>
    public static async Task UnpackAsync(Stream archive, string folder, CancellationToken cancellationToken)
    {
        var root = Directory.CreateDirectory(folder).FullName + Path.DirectorySeparatorChar;
        var (files, bytes) = (0, 0L);
        try
        {
            await using var unpacked = new GZipStream(archive, CompressionMode.Decompress, leaveOpen: true);
            await using var tar = new TarReader(unpacked);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                if (++files > MostFiles)
                {
                    throw new PackageException($"It holds more than {MostFiles} files.");
                }
                if ((bytes += entry.Length) > LargestContent)
                {
                    throw new PackageException($"It unpacks to more than {LargestContent} bytes.");
                }
                await WriteAsync(entry, PathOf(entry, root), cancellationToken);
            }
        }
        catch (Exception e) when (e is not (PackageException or OperationCanceledException))
        {
            throw new PackageException($"It is not a gzip tar that can be read: {SafeErrorText.Of(e, root)}", e);
        }
    }

    private static string PathOf(TarEntry entry, string root)
    {
        var path = Path.GetFullPath(Path.Combine(root, entry.Name));
        return
            entry.Name.Contains('\\', StringComparison.Ordinal)
            || Path.IsPathRooted(entry.Name)
            || !(path + Path.DirectorySeparatorChar).StartsWith(root, StringComparison.Ordinal)
            ? throw new PackageException("A path in it leaves its folder.")
            : path;
    }

    private static async Task WriteAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        switch (entry.EntryType)
        {
            case TarEntryType.GlobalExtendedAttributes:
                break;
            case TarEntryType.Directory:
                Directory.CreateDirectory(path);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                // A new file every time: a second entry of one name must not write through the first.
                await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
                {
                    await (entry.DataStream ?? Stream.Null).CopyToAsync(file, cancellationToken);
                }
                break;
            default:
                throw new PackageException($"It holds a {entry.EntryType}: only files and folders are taken.");
        }
    }
}
