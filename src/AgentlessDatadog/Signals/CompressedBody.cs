using System.IO.Compression;
using ZstdSharp;

namespace AgentlessDatadog.Signals;

/// <summary>A compressed request body that grows in one reused buffer and knows how large it may become.</summary>
internal abstract class CompressedBody : IDisposable
{
    /// <summary>Value of the Content-Encoding header.</summary>
    public abstract string Encoding { get; }

    /// <summary>Most bytes that the body has when that many more are written and it is finished.</summary>
    public abstract long Bound(int more);

    /// <summary>Compresses bytes; some of them may stay inside.</summary>
    public abstract void Write(ReadOnlySpan<byte> raw);

    /// <summary>Brings out what is inside, so that the bound becomes exact.</summary>
    public abstract void Flush();

    /// <summary>Ends the body, returns a copy of it, and begins the next.</summary>
    public abstract byte[] Finish();

    /// <summary>Gives back what the compressor holds.</summary>
    public abstract void Dispose();

    /// <summary>A body of one of the encodings that lanes name.</summary>
    public static CompressedBody For(string encoding, int limit) =>
        encoding switch
        {
            "zstd" => new ZstdBody(limit),
            "deflate" => DeflateBody.Zlib(limit),
            "gzip" => DeflateBody.Gzip(limit),
            _ => throw new ArgumentException($"There is no encoding {encoding}.", nameof(encoding)),
        };

    /// <summary>A whole body at once.</summary>
    public static byte[] Pack(string encoding, ReadOnlySpan<byte> raw)
    {
        using var body = For(encoding, MaxPacked(raw.Length));
        body.Write(raw);
        return body.Finish();
    }

    /// <summary>What a body holds; without an encoding, itself.</summary>
    /// <exception cref="InvalidDataException">It is not of that encoding.</exception>
    public static byte[] Unpack(string? encoding, ReadOnlyMemory<byte> body)
    {
        if (encoding is null)
        {
            return body.ToArray();
        }

        using var packed = new MemoryStream(body.ToArray());
        using Stream unpacking = encoding switch
        {
            "zstd" => new DecompressionStream(packed),
            "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
            "gzip" => new GZipStream(packed, CompressionMode.Decompress),
            _ => throw new InvalidDataException($"There is no encoding {encoding}."),
        };
        using var raw = new MemoryStream();
        try
        {
            unpacking.CopyTo(raw);
        }
        catch (ZstdException error)
        {
            throw new InvalidDataException("The body is not zstd.", error);
        }
        return raw.ToArray();
    }

    // Each of them grows what it cannot shrink by an eighth at most.
    private static int MaxPacked(int raw) => raw + raw / 8 + 1024;
}
