using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog.Signals.Metrics;

/// <summary>Encodes the gauges, counts and rates of a flush for <c>/api/v2/series</c>.</summary>
internal sealed class SeriesEncoder(FlushSnapshot snapshot, string encoding) : IDisposable
{
    // A request is given up as a whole when its oldest point is too old: points far apart do not share one.
    private const long MaxSpread = 300;

    private readonly RequestWriter _writer = new(encoding);

    /// <summary>Points that no ledger item is in, each a new unit.</summary>
    public long NewUnits { get; private set; }

    public List<EncodedRequest> Encode()
    {
        foreach (var series in snapshot.Series.Span)
        {
            if (series.HasTaken && series is not Distribution)
            {
                Write(series, series.TakenValue, snapshot.Second, series.TakenItems);
            }
        }
        _writer.Finish();
        foreach (var point in snapshot.Timed)
        {
            if (point.Second - _writer.Oldest > MaxSpread)
            {
                _writer.Finish();
            }

            Write(point.Series, point.Value, point.Second, point.Items);
        }
        _writer.Finish();
        return _writer.Done;
    }

    public void Dispose() => _writer.Dispose();

    private void Write(Series series, double value, long second, int items)
    {
        var metric = series.Metric;
        var trailer = metric.Trailer;
        var isGauge = metric.Type == MetricType.Gauge;
        var fixedLength = series.Identity.Length + snapshot.GlobalBlock.Length + trailer.Length;
        var room = SeriesWire.MaxHead + fixedLength + SeriesWire.MaxPoint + SeriesWire.MaxInterval;
        var to = _writer.Begin(room);

        // The length goes first and has its own length: the tail of variable size is written apart.
        Span<byte> tail = stackalloc byte[SeriesWire.MaxPoint + SeriesWire.MaxInterval];
        var tailLength = SeriesWire.WritePoint(tail, value, second);
        if (!isGauge)
        {
            tailLength += SeriesWire.WriteInterval(tail[tailLength..], snapshot.Interval);
        }

        to[0] = SeriesWire.SeriesField;
        var at = 1 + Varint.Write(to[1..], (ulong)(fixedLength + tailLength));
        at = Copy(series.Identity, to, at);
        at = Copy(snapshot.GlobalBlock, to, at);
        at = Copy(trailer, to, at);
        at = Copy(tail[..tailLength], to, at);
        _writer.End(at, UnitsOf(metric, items), second);
    }

    private int UnitsOf(Metric metric, int items)
    {
        if (items > 0 || metric.IsSelf)
        {
            return items;
        }

        NewUnits++;
        return 1;
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> to, int at)
    {
        from.CopyTo(to[at..]);
        return at + from.Length;
    }
}
