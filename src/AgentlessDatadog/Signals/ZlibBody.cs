using System.IO.Compression;
using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog.Signals;

/// <summary>zlib, which Datadog means by <c>deflate</c> (docs/reference/datadog.md §3.4).</summary>
internal sealed class ZlibBody : CompressedBody
{
    // Codes of nine bits for a byte are the worst that a fixed Huffman block does to its input; the rest is for stream
    // ends and for the marks that a flush leaves.
    private const int StreamEnds = 64;

    private readonly byte[] _bytes;
    private readonly MemoryStream _buffer;
    private ZLibStream _stream;
    private long _sinceFlush;

    public ZlibBody(int limit)
    {
        _bytes = new byte[limit];
        _buffer = new MemoryStream(_bytes);
        _stream = Begin();
    }

    public override string Encoding => "deflate";

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
        _stream = Begin();
        return body;
    }

    public override void Dispose()
    {
        _stream.Dispose();
        _buffer.Dispose();
    }

    private ZLibStream Begin() => new(_buffer, CompressionLevel.Fastest, leaveOpen: true);
}
