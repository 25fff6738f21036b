using System.IO.Compression;
using ZstdSharp;

namespace AgentlessDatadog.Sandbox.Tests.Support;

internal static class Encodings
{
    public static byte[] Encode(string encoding, byte[] body)
    {
        if (encoding is "zstd" or "zstd1")
        {
            using var compressor = new Compressor(3);
            return compressor.Wrap(body).ToArray();
        }
        using var encoded = new MemoryStream();
        using (
            Stream stream =
                encoding == "gzip"
                    ? new GZipStream(encoded, CompressionLevel.Fastest)
                    : new ZLibStream(encoded, CompressionLevel.Fastest)
        )
        {
            stream.Write(body);
        }
        return encoded.ToArray();
    }

    /// <summary>Deflate without zlib's frame: a zlib stream less its two bytes in front and four behind.</summary>
    public static byte[] RawDeflate(byte[] body) => Encode("deflate", body)[2..^4];
}
