using System.Buffers.Binary;
using System.Text;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Reads one protobuf message field by field, out of the bytes of its body: nothing is made of a field that nobody asks
/// for, and of a nested message only its place.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    /// <summary>A number in as many bytes as it needs.</summary>
    public const int Varint = 0;

    /// <summary>Eight bytes.</summary>
    public const int EightBytes = 1;

    /// <summary>A length, and as many bytes: text or a nested message.</summary>
    public const int Delimited = 2;

    private const int FourBytes = 5;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The number of the field that <see cref="Next"/> found, and how it is written.</summary>
    public (int Number, int Kind) Field { get; private set; }

    /// <summary>Goes to the next field; false at the end. Its value must then be taken, or skipped.</summary>
    /// <exception cref="InvalidDataException">There is no field here.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        var tag = TakeVarint();
        Field = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
        return Field.Number > 0 ? true : throw new InvalidDataException("a field has the number 0");
    }

    /// <exception cref="InvalidDataException">It ends too early, or is longer than ten bytes.</exception>
    public ulong TakeVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException("a number is longer than ten bytes");
    }

    /// <exception cref="InvalidDataException">It ends too early.</exception>
    public double TakeDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double)));

    /// <exception cref="InvalidDataException">It ends too early.</exception>
    public ulong TakeFixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <exception cref="InvalidDataException">It says that it is longer than what is there.</exception>
    public ReadOnlySpan<byte> TakeBytes() => Take(TakeVarint());

    /// <exception cref="InvalidDataException">As <see cref="TakeBytes"/>, or it is not UTF-8.</exception>
    public string TakeText()
    {
        try
        {
            return Utf8.GetString(TakeBytes());
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("a string is not UTF-8", e);
        }
    }

    /// <exception cref="InvalidDataException">It ends too early, or is of no kind that is in use.</exception>
    public void Skip()
    {
        switch (Field.Kind)
        {
            case Varint:
                TakeVarint();
                break;
            case EightBytes:
                Take(8);
                break;
            case Delimited:
                TakeBytes();
                break;
            case FourBytes:
                Take(4);
                break;
            default:
                throw new InvalidDataException($"field {Field.Number} is of a kind that is not in use");
        }
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
        {
            throw new InvalidDataException("it ends in the middle of a field");
        }
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }
}
