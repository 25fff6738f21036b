namespace AgentlessDatadog.Signals;

/// <summary>Protobuf's integers of variable length: seven bits a byte, the lowest first.</summary>
internal static class Varint
{
    /// <summary>The most bytes that one takes.</summary>
    public const int Max = 10;

    public static int Length(ulong value)
    {
        var length = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            length++;
        }
        return length;
    }

    public static int Write(Span<byte> to, ulong value)
    {
        var length = 0;
        while (value >= 0x80)
        {
            to[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        to[length++] = (byte)value;
        return length;
    }
}
