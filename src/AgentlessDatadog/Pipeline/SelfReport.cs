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
    private SelfMetrics? _names;

    /// <summary>Takes effect at once; null: nothing is written.</summary>
    public void Use(SelfMetrics? names)
    {
        lock (_lock)
        {
            foreach (var series in _series.Values)
            {
                series.Dispose();
            }

            _series.Clear();
            _names = names;
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
        if (_names is null)
        {
            return null;
        }

        var key = $"{name} {string.Join(' ', tags)}";
        if (!_series.TryGetValue(key, out var series))
        {
            series = table.Hold(_names.Prefix + name, type, [.. tags, .. _names.Tags], unit: null, isSelf: true);
            _series.Add(key, series);
        }
        return series;
    }
}
