using System.Buffers;
using ZstdSharp;

namespace AgentlessDatadog.Signals;

/// <summary>zstd at level 1.</summary>
internal sealed class ZstdBody(int limit) : CompressedBody
{
    // A block holds at most 128 KiB of input, has 3 bytes of header, and is stored when it does not shrink
    // (RFC 8878 §3.1.1.2): input costs at most itself. No more than two blocks can be inside.
    private const int Block = 128 * 1024;
    private const int FrameEnds = 32;

    private readonly Compressor _compressor = new(1);
    private readonly byte[] _buffer = new byte[limit];
    private int _written;
    private long _sinceFlush;

    public override string Encoding => "zstd";

    public override long Bound(int more)
    {
        var inside = Math.Min(_sinceFlush, 2 * Block) + more;
        return _written + inside + 3 * (inside / Block + 2) + FrameEnds;
    }

    public override void Write(ReadOnlySpan<byte> raw)
    {
        _sinceFlush += raw.Length;
        while (!raw.IsEmpty)
        {
            _compressor.WrapStream(raw, Room(), out var consumed, out var written, isFinalBlock: false);
            raw = raw[consumed..];
            _written += written;
        }
    }

    public override void Flush()
    {
        Drain(isFinal: false);
        _sinceFlush = 0;
    }

    public override byte[] Finish()
    {
        Drain(isFinal: true);
        var body = _buffer.AsSpan(0, _written).ToArray();
        _written = 0;
        _sinceFlush = 0;
        return body;
    }

    public override void Dispose() => _compressor.Dispose();

    private void Drain(bool isFinal)
    {
        OperationStatus status;
        do
        {
            status = _compressor.FlushStream(Room(), out var written, isFinal);
            _written += written;
        } while (status == OperationStatus.DestinationTooSmall);
    }

    // The bound keeps a body out of here; without it a full buffer would be a loop without end.
    private Span<byte> Room() =>
        _written < _buffer.Length
            ? _buffer.AsSpan(_written)
            : throw new InvalidOperationException($"A request body has outgrown its {_buffer.Length} bytes.");
}
