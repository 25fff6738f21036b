using System.Buffers.Binary;
using System.Text;

namespace AgentlessDatadog.Signals;

/// <summary>
/// Writes protobuf messages into one reused buffer. A message within another is begun, written and ended: its length is put
/// in front when it is known. Belongs to one thread.
/// </summary>
internal sealed class ProtobufWriter
{
    private byte[] _buffer = new byte[1024];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Reset() => _length = 0;

    public void Number(int field, ulong value)
    {
        var to = Room(Varint.Max + Varint.Max);
        var length = Varint.Write(to, Key(field, 0));
        _length += length + Varint.Write(to[length..], value);
    }

    public void Double(int field, double value) => Fixed64(field, BitConverter.DoubleToUInt64Bits(value));

    public void Fixed64(int field, ulong value)
    {
        var to = Room(Varint.Max + sizeof(ulong));
        var length = Varint.Write(to, Key(field, 1));
        BinaryPrimitives.WriteUInt64LittleEndian(to[length..], value);
        _length += length + sizeof(ulong);
    }

    /// <summary>Writes an integer as OpenTelemetry writes ids: the highest byte first.</summary>
    public void Id(int field, ulong id)
    {
        var to = Bytes(field, sizeof(ulong));
        BinaryPrimitives.WriteUInt64BigEndian(to, id);
    }

    /// <inheritdoc cref="Id(int, ulong)"/>
    public void Id(int field, UInt128 id)
    {
        var to = Bytes(field, 16);
        BinaryPrimitives.WriteUInt128BigEndian(to, id);
    }

    /// <summary>Writes a text; what is not Unicode in it becomes U+FFFD.</summary>
    public void Text(int field, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Encoding.UTF8.GetBytes(text, Bytes(field, length));
    }

    /// <summary>Begins a message; what is written until its end is in it.</summary>
    /// <returns>To end it with.</returns>
    public int Begin(int field)
    {
        var to = Room(Varint.Max + 1);
        // Most messages are shorter than 128 bytes, and their length takes one.
        _length += Varint.Write(to, Key(field, 2)) + 1;
        return _length;
    }

    /// <summary>Ends a message.</summary>
    /// <param name="begun">What its begin returned.</param>
    public void End(int begun)
    {
        var length = _length - begun;
        var more = Varint.Length((ulong)length) - 1;
        if (more > 0)
        {
            Room(more);
            _buffer.AsSpan(begun, length).CopyTo(_buffer.AsSpan(begun + more));
            _length += more;
        }
        Varint.Write(_buffer.AsSpan(begun - 1), (ulong)length);
    }

    private static ulong Key(int field, int kind) => (ulong)((field << 3) | kind);

    private Span<byte> Bytes(int field, int length)
    {
        var to = Room(Varint.Max + Varint.Max + length);
        var head = Varint.Write(to, Key(field, 2));
        head += Varint.Write(to[head..], (ulong)length);
        _length += head + length;
        return to.Slice(head, length);
    }

    private Span<byte> Room(int length)
    {
        if (_buffer.Length - _length < length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + length));
        }

        return _buffer.AsSpan(_length);
    }
}
