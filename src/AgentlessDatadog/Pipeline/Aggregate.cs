using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Events;

namespace AgentlessDatadog.Pipeline;

/// <summary>Everything that came since the last flush. Belongs to the loop.</summary>
internal sealed class Aggregate(SeriesTable table)
{
    private readonly TimedPoints _timed = new();
    private List<EncodedSignal> _signals = [];

    /// <summary>Bytes of the spans and log entries.</summary>
    public long SignalBytes { get; private set; }

    /// <summary>The series that it puts values into.</summary>
    public SeriesTable Table => table;

    /// <summary>Events that are counted and not sent themselves.</summary>
    public EventFold Fold { get; } = new();

    /// <summary>Finds the series of a measurement, or says why there can be none.</summary>
    public string? Find(Measurement measurement, out Series? series)
    {
        series = null;
        if (table.TypeError(measurement.Metric, measurement.Type) is { } typeError)
        {
            return typeError;
        }

        series = table.Named(measurement.Metric, measurement.Type, measurement.Tags, measurement.Unit);
        if (measurement is not { Type: MetricType.Gauge, Timestamp: { } at })
        {
            return null;
        }

        series = series.Target ?? series;
        return _timed.TimeError(series, at.ToUnixTimeSeconds());
    }

    public void Apply(Series series, Measurement measurement)
    {
        var second = measurement.Timestamp?.ToUnixTimeSeconds() ?? 0;
        if (series is not Distribution && second != 0)
        {
            _timed.Put(series, second, measurement.Value, measurement.IsItem);
            return;
        }
        series.IsJournaled = true;
        if (series is Distribution distribution)
        {
            distribution.Put(new Distribution.Sample(second, measurement.Value, measurement.IsItem));
        }
        else
        {
            series.Put(measurement.Value);
            series.Items += measurement.IsItem ? 1 : 0;
        }
    }

    public void Add(IReadOnlyList<EncodedSignal> signals)
    {
        _signals.AddRange(signals);
        SignalBytes += signals.Sum(signal => (long)signal.Bytes.Length);
    }

    /// <summary>Takes what is there, or only those gauges that the journal does not hold as well.</summary>
    public FlushSnapshot Take(long second, long interval, bool gaugesAlone = false)
    {
        var all = table.Snapshot();
        if (table.HasAliases)
        {
            FoldAliases(all.Span, second, gaugesAlone);
        }

        foreach (var series in all.Span)
        {
            if (series.Target is not null)
            {
                continue;
            }
            // Its sender has used this second for a point of its own: the live value waits for the next one.
            if (_timed.IsUsed(series, second) || (gaugesAlone && !IsLevel(series)))
            {
                series.Skip();
            }
            else if (series.Take())
            {
                MarkTaken(series, second);
            }
        }
        _timed.Pass(second);
        var timed = gaugesAlone ? [] : _timed.Take();
        timed.RemoveAll(point => FoldIntoFlush(point, second));
        var signals = gaugesAlone ? [] : _signals;
        if (!gaugesAlone)
        {
            (_signals, SignalBytes) = ([], 0);
        }

        return new FlushSnapshot(second, interval, all, timed, signals, table.GlobalBlock);
    }

    /// <summary>Undoes a flush that could not be kept, or of one that perhaps is those gauges that the journal does not hold.</summary>
    public void Restore(FlushSnapshot snapshot, bool gaugesAlone = false)
    {
        foreach (var series in snapshot.Series.Span)
        {
            if (!gaugesAlone || series is Gauge { TakenJournaled: false })
            {
                series.Restore();
            }
        }
        if (gaugesAlone)
        {
            return;
        }

        _timed.Restore(snapshot.Second, snapshot.Timed);
        var since = _signals;
        (_signals, SignalBytes) = ([], 0);
        Add(snapshot.Signals);
        Add(since);
    }

    private static void FoldAliases(ReadOnlySpan<Series> all, long second, bool gaugesAlone)
    {
        foreach (var series in all)
        {
            if (series.Target is not { } target || (gaugesAlone && !IsLevel(series)) || !series.Take())
            {
                continue;
            }

            MarkTaken(series, second);
            target.Absorb(series);
        }
    }

    // One point for a series and second: the live value is the newer one.
    private static bool FoldIntoFlush(TimedPoint point, long second)
    {
        if (point.Second != second || !point.Series.HasTaken)
        {
            return false;
        }

        point.Series.TakenItems += point.Items;
        return true;
    }

    private static bool IsLevel(Series series) => series is Gauge && !series.IsJournaled;

    private static void MarkTaken(Series series, long second)
    {
        series.LastTaken = second;
        series.WasFlushed = true;
    }
}
