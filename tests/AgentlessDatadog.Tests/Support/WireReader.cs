using System.Buffers.Binary;
using System.Text;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A point as it was read from a request.</summary>
public sealed record ReadPoint(double Value, long Second);

/// <summary>A series as it was read from a request; Type 1 is a count, 2 a rate, 3 a gauge, 0 a distribution.</summary>
public sealed record ReadSeries(
    string Metric,
    IReadOnlyList<string> Tags,
    IReadOnlyList<ReadPoint> Points,
    int Type,
    string? Unit,
    long Interval
)
{
    public string Key => $"{Metric} {string.Join(',', Tags.Order(StringComparer.Ordinal))}";
}

/// <summary>
/// Reads the protobuf of <c>/api/v2/series</c> and takes nothing on trust: an unknown field, a wrong wire type, a
/// repeated single field or a length beyond the end is an error.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public static List<ReadSeries> ReadPayload(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var all = new List<ReadSeries>();
        while (!reader._rest.IsEmpty)
        {
            reader.Expect(1, 2);
            all.Add(ReadSeries(reader.Bytes()));
        }
        return all;
    }

    private static ReadSeries ReadSeries(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        string? metric = null;
        string? unit = null;
        var tags = new List<string>();
        var points = new List<ReadPoint>();
        long? type = null;
        long? interval = null;
        while (!reader._rest.IsEmpty)
        {
            var (field, kind) = reader.Field();
            switch (field, kind)
            {
                case (2, 2):
                    metric = Once(metric, reader.Text(), "metric");
                    break;
                case (3, 2):
                    tags.Add(reader.Text());
                    break;
                case (4, 2):
                    points.Add(ReadPoint(reader.Bytes()));
                    break;
                case (5, 0):
                    type = type is null ? reader.Varint() : throw new FormatException("type comes twice");
                    break;
                case (6, 2):
                    unit = Once(unit, reader.Text(), "unit");
                    break;
                case (8, 0):
                    interval = interval is null ? reader.Varint() : throw new FormatException("interval comes twice");
                    break;
                default:
                    throw new FormatException($"field {field} of kind {kind} in a series");
            }
        }
        return new ReadSeries(
            metric ?? throw new FormatException("a series without a metric"),
            tags,
            points,
            (int)(type ?? throw new FormatException("a series without a type")),
            unit,
            interval ?? 0
        );
    }

    private static ReadPoint ReadPoint(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        reader.Expect(1, 1);
        var value = BinaryPrimitives.ReadDoubleLittleEndian(reader.Take(8));
        reader.Expect(2, 0);
        var second = reader.Varint();
        return reader._rest.IsEmpty ? new ReadPoint(value, second) : throw new FormatException("a point goes on");
    }

    private static string Once(string? before, string now, string what) =>
        before is null ? now : throw new FormatException($"{what} comes twice");

    private (int Field, int Kind) Field()
    {
        var key = Varint();
        return ((int)(key >> 3), (int)(key & 7));
    }

    private void Expect(int field, int kind)
    {
        if (Field() is var found && found != (field, kind))
        {
            throw new FormatException($"field {found} where {(field, kind)} was due");
        }
    }

    private long Varint()
    {
        var value = 0L;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new FormatException("a varint without end");
    }

    private ReadOnlySpan<byte> Bytes() => Take((int)Varint());

    private string Text() => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes());

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length)
        {
            throw new FormatException("a length beyond the end");
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
