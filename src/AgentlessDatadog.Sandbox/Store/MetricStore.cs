using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// Holds the points that Datadog would hold, and lists in a <see cref="DropList"/> what it would drop behind a 202.
/// One lock guards all of it: a request is applied whole, a reader sees whole requests.
/// </summary>
internal sealed class MetricStore(StoreLimits limits, TimeSpan retention, DropList drops, TimeProvider time)
{
    private const long SweepSeconds = 60;

    private readonly Lock _lock = new();
    private readonly MetricTable _table = new(limits);
    private readonly long _retentionSeconds = (long)retention.TotalSeconds;
    private long _nextSweep;

    /// <summary>What is held now, and what had to go before its time because memory is bounded.</summary>
    public readonly record struct Totals(int Metrics, int Series, int Points, long EvictedSeries, long EvictedPoints);

    /// <summary>Takes a payload. Every series stands for itself.</summary>
    public void Apply(List<IncomingSeries> payload)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            foreach (var incoming in payload)
            {
                Apply(incoming, now);
            }
            Expire(now.ToUnixTimeSeconds());
            _table.Evict();
        }
    }

    /// <summary>
    /// Lets <paramref name="read"/> look at the metrics, the second that is now, and the first second that is kept.
    /// It must not hold on to anything of them.
    /// </summary>
    public T Read<T>(Func<IReadOnlyDictionary<string, StoredMetric>, long, long, T> read)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        lock (_lock)
        {
            Expire(now);
            return read(_table.Metrics, now, now - _retentionSeconds);
        }
    }

    /// <summary>Changes what is known about a name.</summary>
    /// <returns>What is known now, or null when the name has never reported (docs/reference/datadog.md §3.9).</returns>
    public StoredMetric? Describe(string name, Func<MetricMetadata, MetricMetadata> change)
    {
        lock (_lock)
        {
            var metric = _table.Find(name);
            metric?.Metadata = change(metric.Metadata);
            return metric;
        }
    }

    public Totals Count()
    {
        lock (_lock)
        {
            return new Totals(
                _table.Metrics.Count,
                _table.SeriesCount,
                _table.PointCount,
                _table.EvictedSeries,
                _table.EvictedPoints
            );
        }
    }

    private void Apply(IncomingSeries incoming, DateTimeOffset now)
    {
        var name = NameRules.Metric(incoming.Metric, out var reason);
        if (name is null)
        {
            Drop(incoming, now, reason, "");
            return;
        }
        var metric = _table.Find(name);
        if (metric is not null && Conflict(metric.Type, incoming.Type))
        {
            Drop(incoming, now, DropReason.TypeConflict, $"is {Text(metric.Type)}, came as {Text(incoming.Type)}");
            return;
        }
        if (!_table.TryIntern(incoming.Tags, out var tags, out reason, out var culprit))
        {
            Drop(incoming, now, reason, culprit);
            return;
        }
        if (Store(incoming, metric ??= new StoredMetric(name), tags, now))
        {
            metric.LastReceived = now.ToUnixTimeSeconds();
            Learn(metric, incoming, now);
        }
        _table.Release(tags);
    }

    /// <returns>True when at least one point was kept.</returns>
    private bool Store(IncomingSeries incoming, StoredMetric metric, InternedTags tags, DateTimeOffset now)
    {
        var second = now.ToUnixTimeSeconds();
        var kept = false;
        foreach (var sample in incoming.Samples)
        {
            if (Rejection(sample, second) is { } rejection)
            {
                Drop(incoming, sample, now, rejection.Reason, rejection.Detail);
                continue;
            }
            kept = true;
            var series = _table.Open(metric, tags);
            var isNew = true;
            if (incoming.Type == IntakeMetricType.Distribution)
            {
                series.Add((uint)sample.Time, sample.Value);
            }
            else
            {
                isNew = series.Set((uint)sample.Time, sample.Value, incoming.AddsUp);
            }
            if (isNew)
            {
                _table.CountPoint();
            }
        }
        return kept;
    }

    private void Learn(StoredMetric metric, IncomingSeries incoming, DateTimeOffset now)
    {
        if (metric.Type == IntakeMetricType.Unspecified)
        {
            metric.Type = incoming.Type;
        }
        if (incoming.Interval > 0)
        {
            metric.Interval = incoming.Interval;
        }
        if (incoming.Unit.Length == 0 || incoming.Unit == metric.SentUnit)
        {
            return;
        }
        metric.SentUnit = incoming.Unit;
        if (Units.Find(incoming.Unit) is null)
        {
            drops.Add(
                new DroppedItem(now, DropReason.UnknownUnit, metric.Name, incoming.Unit.Truncate(NameRules.MaxLength))
            );
        }
        else
        {
            metric.Metadata = metric.Metadata with { Unit = incoming.Unit };
        }
    }

    private static (DropReason Reason, string Detail)? Rejection(MetricPoint sample, long now)
    {
        if (!double.IsFinite(sample.Value))
        {
            return (DropReason.NotANumber, "");
        }
        if (sample.Time < now - TimeWindow.PointPast)
        {
            return (DropReason.TooOld, "more than 1 h in the past");
        }
        return sample.Time > now + TimeWindow.PointFuture
            ? (DropReason.TooNew, "more than 10 min in the future")
            : null;
    }

    // Unspecified goes with whatever type the name has; samples and points never mix (§3.3).
    private static bool Conflict(IntakeMetricType held, IntakeMetricType sent)
    {
        var mixes = held == IntakeMetricType.Distribution || sent == IntakeMetricType.Distribution;
        var isOpen = held == IntakeMetricType.Unspecified || sent == IntakeMetricType.Unspecified;
        return held != sent && (mixes || !isOpen);
    }

    private static string Text(IntakeMetricType type) =>
        type == IntakeMetricType.Unspecified ? "unspecified" : type.Name();

    private void Drop(IncomingSeries series, DateTimeOffset now, DropReason reason, string detail)
    {
        foreach (var sample in series.Samples)
        {
            Drop(series, sample, now, reason, detail);
        }
    }

    private void Drop(
        IncomingSeries series,
        MetricPoint sample,
        DateTimeOffset now,
        DropReason reason,
        string detail
    ) =>
        drops.Add(
            new DroppedItem(
                now,
                reason,
                series.Metric.Truncate(NameRules.MaxLength),
                detail.Truncate(NameRules.MaxLength),
                sample.Value,
                sample.Time
            )
        );

    private void Expire(long now)
    {
        // The second half covers a clock that was set back.
        if (now >= _nextSweep || now < _nextSweep - SweepSeconds)
        {
            _nextSweep = now + SweepSeconds;
            _table.DropBefore(now - _retentionSeconds);
        }
    }
}
