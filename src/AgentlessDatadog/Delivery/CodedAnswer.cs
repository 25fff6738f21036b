using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// The body of an answer that came compressed. Nobody asked for that, for answers are short, but a server may
/// (docs/reference/datadog.md §2.3), and what stands in between does.
/// </summary>
internal static class CodedAnswer
{
    // A frame may ask its reader for a window of gigabytes: 8 MiB is what RFC 9659 lets a server ask for.
    private const int LargestWindowLog = 23;

    /// <summary>
    /// The body as it was before; one with a coding that nobody knows comes as it is. As much is decoded as is read.
    /// </summary>
    /// <param name="body">As it came; disposed with what is returned.</param>
    /// <param name="codings">Its Content-Encoding, in the order in which they were applied.</param>
    public static Stream Decode(Stream body, IEnumerable<string> codings) => codings.Reverse().Aggregate(body, Decode);

    private static Stream Decode(Stream coded, string coding) =>
        coding.ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => new GZipStream(coded, CompressionMode.Decompress),
            "br" => new BrotliStream(coded, CompressionMode.Decompress),
            "deflate" => new ZLibStream(coded, CompressionMode.Decompress),
            "zstd" => Zstd(coded),
            _ => coded,
        };

    private static DecompressionStream Zstd(Stream coded)
    {
        var decoding = new DecompressionStream(coded, leaveOpen: false);
        decoding.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, LargestWindowLog);
        return decoding;
    }
}
