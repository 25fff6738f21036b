using System.Buffers.Binary;
using System.Text;

namespace AgentlessDatadog.Sandbox.Tests.Support;

/// <summary>
/// Writes the v2 payload by the field numbers of docs/reference/datadog.md §3.1, by hand: a second encoder, so that
/// a mistake in the decoder shows.
/// </summary>
internal static class Protobuf
{
    public static byte[] Payload(params byte[][] series) => Join([.. series.Select(one => Message(1, one))]);

    public static byte[] Series(
        string metric,
        int type,
        (double Value, long Time)[] points,
        string[]? tags = null,
        string? host = null,
        string? unit = null,
        long interval = 0
    ) =>
        Join(
            host is null ? [] : Message(1, Join(Text(1, "host"), Text(2, host))),
            Text(2, metric),
            Join([.. (tags ?? []).Select(tag => Text(3, tag))]),
            Join([.. points.Select(point => Message(4, Join(Double(1, point.Value), Integer(2, point.Time))))]),
            Integer(5, type),
            unit is null ? [] : Text(6, unit),
            Integer(8, interval)
        );

    public static byte[] Message(int field, byte[] body) =>
        Join(Varint((ulong)(field << 3) | 2), Varint((ulong)body.Length), body);

    public static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    public static byte[] Integer(int field, long value) => Join(Varint((ulong)(field << 3)), Varint((ulong)value));

    public static byte[] Double(int field, double value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        return Join(Varint((ulong)(field << 3) | 1), bytes);
    }

    public static byte[] Fixed64(int field, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return Join(Varint((ulong)(field << 3) | 1), bytes);
    }

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 127; value >>= 7)
        {
            bytes.Add((byte)(value | 128));
        }
        bytes.Add((byte)value);
        return [.. bytes];
    }

    public static byte[] Join(params byte[][] parts)
    {
        var joined = new byte[parts.Sum(part => part.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(joined, at);
            at += part.Length;
        }
        return joined;
    }
}
