using System.Globalization;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;

namespace AgentlessDatadog.Pipeline;

/// <summary>Writes what the pipeline does into series of its own. Any thread.</summary>
internal sealed class SelfReport(SeriesTable table, Ledger ledger, Outbox outbox, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Series> _series = [];
    private readonly Dictionary<Lane, LaneLedger> _told = [];
    private TelemetryOptions _options = new();

    /// <summary>Takes effect at once. Where the options name no metrics about the pipeline, nothing is written.</summary>
    public void Use(TelemetryOptions options)
    {
        lock (_lock)
        {
            foreach (var series in _series.Values)
            {
                series.Dispose();
            }

            _series.Clear();
            _options = options;
        }
    }

    /// <summary>What the ledger holds so far was told by an earlier process.</summary>
    public void BeginFrom(Ledger start)
    {
        foreach (var lane in Lane.All)
        {
            _told[lane] = start.Of(lane);
        }
    }

    public void CountRequest(Lane lane, int status)
    {
        var answer = status == 0 ? "none" : status.ToString(CultureInfo.InvariantCulture);
        Add("requests", 1, Tag(lane), $"status:{answer}");
    }

    /// <summary>Brings all but the requests up to date, for the flush that follows.</summary>
    public void Write(TimeSpan lastFlush)
    {
        foreach (var lane in Lane.All)
        {
            Write(lane);
        }

        var queue = outbox.Status;
        Set("queue.bytes", queue.Bytes);
        Set("queue.age", queue.Oldest is { } oldest ? Math.Max(0, (clock.GetUtcNow() - oldest).TotalSeconds) : 0);
        Set("series", table.Count);
        Set("flush.seconds", lastFlush.TotalSeconds);
    }

    private void Write(Lane lane)
    {
        var now = ledger.Of(lane);
        var before = _told[lane];
        _told[lane] = now;
        // Series cost. What was left in a lane that is switched off is told until it has gone.
        if (!lane.IsOn(_options) && before.Queued + now.Queued == 0)
        {
            return;
        }

        Add("accepted", now.Accepted - before.Accepted, Tag(lane));
        Add("delivered", now.Delivered - before.Delivered, Tag(lane));
        Add("overflowed", now.Overflowed - before.Overflowed, Tag(lane));
        Add("expired", now.Expired - before.Expired, Tag(lane));
        Add("rejected", now.Rejected - before.Rejected, Tag(lane));
        Add("uncertain", now.Uncertain - before.Uncertain, Tag(lane));
        Set("queued", now.Queued, Tag(lane));
    }

    private static string Tag(Lane lane) => $"lane:{lane.Name}";

    private void Add(string name, double value, params string[] tags)
    {
        lock (_lock)
        {
            Series(name, MetricType.Count, tags)?.Put(value);
        }
    }

    private void Set(string name, double value, params string[] tags)
    {
        lock (_lock)
        {
            Series(name, MetricType.Gauge, tags)?.Put(value);
        }
    }

    private Series? Series(string name, MetricType type, string[] tags)
    {
        if (_options.SelfMetrics is not { } names)
        {
            return null;
        }

        var key = $"{name} {string.Join(' ', tags)}";
        if (!_series.TryGetValue(key, out var series))
        {
            series = table.Hold(names.Prefix + name, type, [.. tags, .. names.Tags], unit: null, isSelf: true);
            _series.Add(key, series);
        }
        return series;
    }
}
