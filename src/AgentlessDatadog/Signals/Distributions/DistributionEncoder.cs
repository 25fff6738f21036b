using System.Buffers;
using System.Text.Json;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Signals.Distributions;

/// <summary>
/// Encodes the distribution values of a flush for <c>/api/v1/distribution_points</c> (docs/reference/datadog.md §3.3).
/// </summary>
internal sealed class DistributionEncoder(FlushSnapshot snapshot)
{
    // A request is given up as a whole when its oldest value is too old: late values go apart, by five minutes.
    private const long Bucket = 300;

    private readonly ArrayBufferWriter<byte> _raw = new();
    private readonly List<EncodedRequest> _done = [];
    private long _units;
    private int _points;
    private long _oldest = long.MaxValue;

    /// <summary>Points that no ledger item is in, each a new unit.</summary>
    public long NewUnits { get; private set; }

    public List<EncodedRequest> Encode()
    {
        foreach (var bucket in Points().GroupBy(point => BucketOf(point.Second)))
        {
            EncodeBucket(bucket);
        }

        return _done;
    }

    private sealed record Point(Series Series, long Second, List<Distribution.Sample> Samples);

    private IEnumerable<Point> Points()
    {
        for (var i = 0; i < snapshot.Series.Length; i++)
        {
            if (snapshot.Series.Span[i] is not Distribution { HasTaken: true } series)
            {
                continue;
            }

            foreach (
                var second in series.Samples.GroupBy(sample => sample.Second == 0 ? snapshot.Second : sample.Second)
            )
            {
                yield return new Point(series, second.Key, [.. second]);
            }
        }
    }

    private void EncodeBucket(IEnumerable<Point> points)
    {
        var writer = Begin();
        foreach (var point in points)
        {
            Head(writer, point.Series, point.Second);
            _units += NewUnitsOf(point);
            foreach (var sample in point.Samples)
            {
                if (_raw.WrittenCount + writer.BytesPending > Lane.Distributions.MaxRawBytes)
                {
                    Tail(writer);
                    Finish(writer);
                    writer = Begin();
                    Head(writer, point.Series, point.Second);
                }
                writer.WriteNumberValue(sample.Value);
                _units += sample.IsItem ? 1 : 0;
            }
            Tail(writer);
        }
        Finish(writer);
    }

    private long NewUnitsOf(Point point)
    {
        if (point.Series.Metric.IsSelf || point.Samples.Exists(sample => sample.IsItem))
        {
            return 0;
        }

        NewUnits++;
        return 1;
    }

    private Utf8JsonWriter Begin()
    {
        _raw.ResetWrittenCount();
        var writer = new Utf8JsonWriter(_raw);
        writer.WriteStartObject();
        writer.WriteStartArray("series"u8);
        return writer;
    }

    private void Head(Utf8JsonWriter writer, Series series, long second)
    {
        _points++;
        _oldest = Math.Min(_oldest, second);
        writer.WriteStartObject();
        writer.WriteString("metric"u8, series.Metric.Name);
        writer.WriteString("type"u8, "distribution"u8);
        writer.WriteStartArray("tags"u8);
        WriteTags(writer, series.Identity);
        WriteTags(writer, snapshot.GlobalBlock);
        writer.WriteEndArray();
        writer.WriteStartArray("points"u8);
        writer.WriteStartArray();
        writer.WriteNumberValue(second);
        writer.WriteStartArray();
    }

    private static void WriteTags(Utf8JsonWriter writer, ReadOnlySpan<byte> fields)
    {
        while (SeriesWire.ReadText(ref fields, out var field, out var text))
        {
            if (field == SeriesWire.TagField)
            {
                writer.WriteStringValue(text);
            }
        }
    }

    private static void Tail(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndArray();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void Finish(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Dispose();
        var encoding = Lane.Distributions.Encodings[0];
        var body = CompressedBody.Pack(encoding, _raw.WrittenSpan);
        _done.Add(new EncodedRequest(body, encoding, _units, _points, _oldest));
        _units = 0;
        _points = 0;
        _oldest = long.MaxValue;
    }

    private long BucketOf(long second) => second < snapshot.Second - Bucket ? second / Bucket : long.MaxValue;
}
