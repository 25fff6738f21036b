using System.IO.Compression;

namespace AgentlessDatadog.Signals;

/// <summary>
/// DEFLATE in a frame: zlib's, which HTTP and Datadog mean by <c>deflate</c> (docs/reference/datadog.md §3.4), or gzip's.
/// </summary>
internal sealed class DeflateBody : CompressedBody
{
    // Codes of nine bits for a byte are the worst that a fixed Huffman block does to its input; the rest is for stream
    // ends and for the marks that a flush leaves.
    private const int StreamEnds = 64;

    private readonly byte[] _bytes;
    private readonly MemoryStream _buffer;
    private readonly Func<Stream, Stream> _frame;
    private Stream _stream;
    private long _sinceFlush;

    private DeflateBody(string encoding, int limit, Func<Stream, Stream> frame)
    {
        Encoding = encoding;
        _bytes = new byte[limit];
        _buffer = new MemoryStream(_bytes);
        _frame = frame;
        _stream = frame(_buffer);
    }

    public override string Encoding { get; }

    public static DeflateBody Zlib(int limit) =>
        new("deflate", limit, to => new ZLibStream(to, CompressionLevel.Fastest, leaveOpen: true));

    public static DeflateBody Gzip(int limit) =>
        new("gzip", limit, to => new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true));

    public override long Bound(int more)
    {
        var inside = _sinceFlush + more;
        return _buffer.Position + inside + inside / 8 + StreamEnds;
    }

    public override void Write(ReadOnlySpan<byte> raw)
    {
        _sinceFlush += raw.Length;
        _stream.Write(raw);
    }

    public override void Flush()
    {
        _stream.Flush();
        _sinceFlush = 0;
    }

    public override byte[] Finish()
    {
        _stream.Dispose();
        var body = _bytes.AsSpan(0, (int)_buffer.Position).ToArray();
        _buffer.Position = 0;
        _sinceFlush = 0;
        _stream = _frame(_buffer);
        return body;
    }

    public override void Dispose()
    {
        _stream.Dispose();
        _buffer.Dispose();
    }
}
