using AgentlessDatadog.Signals;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Pipeline;

/// <summary>All series, found by name and tags and kept in the order in which they came.</summary>
internal sealed class SeriesTable(TimeProvider clock)
{
    private const int MaxMetrics = 10_000;
    private const long NamedIdleSeconds = 3600;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Metric> _metrics = new(StringComparer.Ordinal);
    private readonly HashSet<Series> _series = new(SeriesIdentity.Comparer);

    private byte[] _scratch = new byte[1024];

    // Neighbours in time have much in common (one session's gauges), and what is alike compresses best side by side.
    private Series[] _order = new Series[64];
    private int _count;
    private int _aliases;
    private string[] _globalTags = [];

    /// <summary>The tags of every series as protobuf fields, shared by all.</summary>
    public byte[] GlobalBlock { get; private set; } = [];

    /// <summary>Number of distinct series as Datadog sees them.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count - _aliases;
            }
        }
    }

    public IReadOnlyDictionary<string, int> CountByMetric()
    {
        lock (_lock)
        {
            return _metrics.Values.Where(metric => metric.Series > 0).ToDictionary(m => m.Name, m => m.Series);
        }
    }

    /// <summary>Whether the tags that all series share make one series of several.</summary>
    public bool HasAliases
    {
        get
        {
            lock (_lock)
            {
                return _aliases > 0;
            }
        }
    }

    /// <summary>Why a name cannot be used with this type, or null.</summary>
    public string? TypeError(string name, MetricType type)
    {
        lock (_lock)
        {
            if (_metrics.TryGetValue(name, out var metric))
            {
                return metric.TypeError(type);
            }

            return _metrics.Count < MaxMetrics ? null : $"there are {MaxMetrics} metric names already";
        }
    }

    /// <summary>The series for a handle.</summary>
    /// <exception cref="ArgumentException">The name has another type already.</exception>
    public Series Hold(string name, MetricType type, IReadOnlyList<string> tags, string? unit, bool isSelf = false)
    {
        lock (_lock)
        {
            var series = Get(name, type, tags, unit, isSelf);
            series.Holders++;
            return series;
        }
    }

    /// <summary>The series of a measurement.</summary>
    /// <exception cref="ArgumentException">The name has another type already.</exception>
    public Series Named(string name, MetricType type, IReadOnlyList<string> tags, string? unit)
    {
        lock (_lock)
        {
            var series = Get(name, type, tags, unit, isSelf: false);
            if (!series.Named)
            {
                series.Named = true;
                series.LastTaken = Math.Max(series.LastTaken, clock.GetUtcNow().ToUnixTimeSeconds());
            }
            return series;
        }
    }

    /// <summary>
    /// Lets a name have another type from now on; false while one of its series is held, has a value that no flush has taken, or
    /// stands for another.
    /// </summary>
    public bool TryRelease(string name)
    {
        lock (_lock)
        {
            if (!_metrics.TryGetValue(name, out var metric))
            {
                return true;
            }

            var own = Array.FindAll(_order[.._count], series => series.Metric == metric);
            if (Array.Exists(own, series => series.Holders > 0 || series.HasLive || series.Target is not null))
            {
                return false;
            }

            foreach (var series in own)
            {
                // A flush may be at the list: it goes from there with the next.
                series.Named = false;
                _series.Remove(series);
            }
            return _metrics.Remove(name);
        }
    }

    public void Return(Series series)
    {
        lock (_lock)
        {
            if (series.Holders > 0)
            {
                series.Holders--;
            }
        }
    }

    /// <summary>All series so far, oldest first. The array is never written below the count, except by a prune.</summary>
    public ReadOnlyMemory<Series> Snapshot()
    {
        lock (_lock)
        {
            return _order.AsMemory(0, _count);
        }
    }

    /// <summary>Lets those go that nobody holds: at once, or after an idle hour when a measurement named them.</summary>
    public void ReleaseIdle(long second)
    {
        lock (_lock)
        {
            var kept = 0;
            for (var i = 0; i < _count; i++)
            {
                var series = _order[i];
                if (IsLive(series, second))
                {
                    _order[kept++] = series;
                }
                else
                {
                    Remove(series);
                }
            }
            Array.Clear(_order, kept, _count - kept);
            _count = kept;
        }
    }

    /// <summary>
    /// Changes the tags of every series. A series with one of them among its own becomes an alias of the series without
    /// it, for otherwise Datadog would take the two for one.
    /// </summary>
    public void UseGlobalTags(IReadOnlyList<string> tags)
    {
        lock (_lock)
        {
            string[] normal = [.. TagSet.Of(tags)];
            if (normal.AsSpan().SequenceEqual(_globalTags))
            {
                return;
            }

            _globalTags = normal;
            GlobalBlock = SeriesIdentity.Encode(null, _globalTags);
            for (var i = 0; i < _count; i++)
            {
                Alias(_order[i], SeriesIdentity.Tags(_order[i]));
            }
        }
    }

    private Series Get(string name, MetricType type, IReadOnlyList<string> tags, string? unit, bool isSelf)
    {
        if (!_metrics.TryGetValue(name, out var metric))
        {
            _metrics.Add(name, metric = new Metric(this, name, type, clock.GetUtcNow(), isSelf));
        }

        if (metric.TypeError(type) is { } typeError)
        {
            throw new ArgumentException(typeError, nameof(type));
        }

        metric.UseUnit(unit);
        return Get(metric, TagSet.Of(tags));
    }

    private Series Get(Metric metric, string[] tags)
    {
        var room = SeriesWire.MeasureIdentity(metric.Name, tags);
        if (_scratch.Length < room)
        {
            _scratch = new byte[room];
        }

        var identity = _scratch.AsSpan(0, SeriesWire.WriteIdentity(_scratch, metric.Name, tags));
        if (_series.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(identity, out var known))
        {
            return known;
        }

        var series = Create(metric, identity.ToArray());
        _series.Add(series);
        if (_count == _order.Length)
        {
            Array.Resize(ref _order, _count * 2);
        }

        _order[_count++] = series;
        metric.Series++;
        Alias(series, tags);
        return series;
    }

    private static Series Create(Metric metric, byte[] identity) =>
        metric.Type switch
        {
            MetricType.Count => new Counter(metric, identity),
            MetricType.Distribution => new Distribution(metric, identity),
            _ => new Gauge(metric, identity),
        };

    private void Alias(Series series, string[] tags)
    {
        var own = Array.FindAll(tags, tag => Array.BinarySearch(_globalTags, tag, StringComparer.Ordinal) < 0);
        var target = own.Length == tags.Length ? null : Get(series.Metric, own);
        Point(series, target);
    }

    // An alias holds its target, so that the target does not go before it.
    private void Point(Series series, Series? target)
    {
        if (series.Target is { } before)
        {
            before.Holders--;
            _aliases--;
            series.Metric.Series++;
        }
        if (target is not null)
        {
            target.Holders++;
            _aliases++;
            series.Metric.Series--;
        }
        series.Target = target;
    }

    private static bool IsLive(Series series, long second) =>
        series.Holders > 0 || series.HasLive || (series.Named && second - series.LastTaken < NamedIdleSeconds);

    private void Remove(Series series)
    {
        Point(series, null);
        // One that was released may have a successor of the same name and tags.
        if (_series.TryGetValue(series, out var known) && known == series)
        {
            _series.Remove(series);
        }

        series.Metric.Series--;
    }
}
