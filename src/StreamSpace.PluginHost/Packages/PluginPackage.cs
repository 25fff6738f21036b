using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using StreamSpace.PluginHost.Data;

namespace StreamSpace.PluginHost.Packages;

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

    // No plugin is that easy to compress; below the first bound nobody minds.
    private const long AlwaysTaken = 10_000_000;
    private const int LargestRatio = 100;

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
        var largest = Math.Min(LargestContent, Math.Max(AlwaysTaken, LargestRatio * archive.Length));
        try
        {
            await using var unpacked = new GZipStream(archive, CompressionMode.Decompress, leaveOpen: true);
            await using var guard = new TarGuard(unpacked, largest);
            await using var tar = new TarReader(guard);
            for (var files = 1; await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry; files++)
            {
                if (files > MostFiles)
                {
                    throw new PackageException($"It holds more than {MostFiles} files.");
                }
                if (entry.EntryType is TarEntryType.GlobalExtendedAttributes)
                {
                    continue;
                }
                if (entry.Length != guard.Size)
                {
                    // The reader would go on from elsewhere than the guard.
                    throw new PackageException("An entry in it is told to be of two sizes.");
                }
                await WriteAsync(entry, root, cancellationToken);
            }
        }
        catch (Exception e) when (e is not (PackageException or OperationCanceledException))
        {
            throw new PackageException($"It is not a gzip tar that can be read: {SafeErrorText.Of(e, root)}", e);
        }
    }

    private static async Task WriteAsync(TarEntry entry, string root, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(Path.Combine(root, entry.Name));
        if (
            entry.Name.Contains('\\', StringComparison.Ordinal)
            || Path.IsPathRooted(entry.Name)
            || !(path + Path.DirectorySeparatorChar).StartsWith(root, StringComparison.Ordinal)
        )
        {
            throw new PackageException("A path in it leaves its folder.");
        }
        if (entry.EntryType is TarEntryType.Directory)
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // A new file every time: a second entry of one name must not write through the first.
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        if (entry.DataStream is { } data)
        {
            await data.CopyToAsync(file, cancellationToken);
        }
    }
}
