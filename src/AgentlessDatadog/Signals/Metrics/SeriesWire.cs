using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace AgentlessDatadog.Signals.Metrics;

/// <summary>
/// The protobuf of <c>/api/v2/series</c>, as much of it as is sent (docs/reference/datadog.md §3.1). A field begins
/// with its number shifted left by three, plus its kind: 0 varint, 1 eight bytes, 2 length and bytes.
/// </summary>
internal static class SeriesWire
{
    public const byte SeriesField = (1 << 3) | 2;
    public const byte MetricField = (2 << 3) | 2;
    public const byte TagField = (3 << 3) | 2;
    public const byte PointField = (4 << 3) | 2;
    public const byte TypeField = 5 << 3;
    public const byte UnitField = (6 << 3) | 2;
    public const byte IntervalField = 8 << 3;
    public const byte PointValueField = (1 << 3) | 1;
    public const byte PointTimestampField = 2 << 3;

    /// <summary>Room for a point: its field and length, eight bytes of value, a varint of time.</summary>
    public const int MaxPoint = 2 + 1 + 8 + 1 + 10;

    /// <summary>Room for an interval, and for a length or a varint.</summary>
    public const int MaxInterval = 1 + 10;

    /// <summary>Room for the field and the length that a series begins with.</summary>
    public const int MaxHead = 1 + 5;

    public static int WritePoint(Span<byte> to, double value, long second)
    {
        to[0] = PointField;
        to[2] = PointValueField;
        BinaryPrimitives.WriteDoubleLittleEndian(to[3..], value);
        to[11] = PointTimestampField;
        var length = 12 + Varint.Write(to[12..], (ulong)second);
        to[1] = (byte)(length - 2);
        return length;
    }

    public static int WriteInterval(Span<byte> to, long seconds)
    {
        to[0] = IntervalField;
        return 1 + Varint.Write(to[1..], (ulong)seconds);
    }

    /// <summary>Length of the text of a name and tags with their fields.</summary>
    public static int MeasureIdentity(string? metric, ReadOnlySpan<string> tags)
    {
        var length = metric is null ? 0 : 3 + Encoding.UTF8.GetMaxByteCount(metric.Length);
        foreach (var tag in tags)
        {
            length += 3 + Encoding.UTF8.GetMaxByteCount(tag.Length);
        }

        return length;
    }

    public static int WriteIdentity(Span<byte> to, string? metric, ReadOnlySpan<string> tags)
    {
        var length = metric is null ? 0 : WriteText(to, MetricField, metric);
        foreach (var tag in tags)
        {
            length += WriteText(to[length..], TagField, tag);
        }

        return length;
    }

    /// <summary>Reads one field of <see cref="WriteIdentity"/> and moves on.</summary>
    public static bool ReadText(ref ReadOnlySpan<byte> from, out byte field, out ReadOnlySpan<byte> text)
    {
        field = 0;
        text = default;
        if (from.IsEmpty)
        {
            return false;
        }

        field = from[0];
        int length = from[1];
        var start = 2;
        if (length >= 0x80)
        {
            length = (length & 0x7F) | (from[2] << 7);
            start = 3;
        }
        text = from.Slice(start, length);
        from = from[(start + length)..];
        return true;
    }

    // Names and tags are at most 200 characters, so that two bytes hold any length.
    private static int WriteText(Span<byte> to, byte field, string text)
    {
        to[0] = field;
        var start = 1 + Varint.Write(to[1..], (ulong)text.Length);
        if (Ascii.FromUtf16(text, to[start..], out var length) == OperationStatus.Done)
        {
            return start + length;
        }

        start = 1 + Varint.Write(to[1..], (ulong)Encoding.UTF8.GetByteCount(text));
        return start + Encoding.UTF8.GetBytes(text, to[start..]);
    }
}
