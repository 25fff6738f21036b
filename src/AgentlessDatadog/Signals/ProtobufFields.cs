using System.Buffers.Binary;

namespace AgentlessDatadog.Signals;

/// <summary>Goes through the fields of a protobuf message, whatever they are.</summary>
internal ref struct ProtobufFields(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>Number of the field.</summary>
    public int Number { get; private set; }

    /// <summary>Its value where it is a number; else 0.</summary>
    public ulong Value { get; private set; }

    /// <summary>Its content where it is a message, a text or bytes; else empty.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The whole field, number and length included.</summary>
    public ReadOnlySpan<byte> Field { get; private set; }

    /// <summary>Goes on to the next field; false: there is none.</summary>
    /// <exception cref="InvalidDataException">It is no protobuf.</exception>
    public bool Next()
    {
        if (_at == _message.Length)
        {
            return false;
        }

        var start = _at;
        var key = Varint();
        Number = (int)(key >> 3);
        Value = 0;
        Bytes = default;
        switch (key & 7)
        {
            case 0:
                Value = Varint();
                break;
            case 1:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                break;
            case 5:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new InvalidDataException("A field is of a kind that protobuf no longer has.");
        }
        Field = _message[start.._at];
        return Number > 0 ? true : throw new InvalidDataException("A field has no number.");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _at))
        {
            throw new InvalidDataException("A field is longer than its message.");
        }

        var bytes = _message.Slice(_at, (int)length);
        _at += (int)length;
        return bytes;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException("A number is longer than ten bytes.");
    }
}
