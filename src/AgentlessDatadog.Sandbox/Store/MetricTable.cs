using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// Names, tag sets and points, with the bookkeeping that keeps them within bounds. Not safe for threads; the store's
/// lock guards it.
/// </summary>
internal sealed class MetricTable(StoreLimits limits)
{
    // Eviction goes this far below a limit, so that it is not due again at once.
    private const double RoomAfterEviction = 0.9;

    private readonly Dictionary<string, StoredMetric> _metrics = new(StringComparer.Ordinal);
    private readonly TagTable _tags = new();

    public IReadOnlyDictionary<string, StoredMetric> Metrics => _metrics;

    public int SeriesCount { get; private set; }

    public int PointCount { get; private set; }

    /// <summary>Gone before their time because memory is bounded.</summary>
    public long EvictedSeries { get; private set; }

    /// <summary>Gone before their time because memory is bounded.</summary>
    public long EvictedPoints { get; private set; }

    public StoredMetric? Find(string name) => _metrics.GetValueOrDefault(name);

    /// <summary>As <see cref="TagTable.TryIntern"/>; a set that no series takes must be released.</summary>
    public bool TryIntern(
        IReadOnlyList<string> tags,
        [NotNullWhen(true)] out InternedTags? set,
        out DropReason reason,
        out string culprit
    ) => _tags.TryIntern(tags, out set, out reason, out culprit);

    public void Release(InternedTags tags)
    {
        if (tags.Uses == 0)
        {
            _tags.Remove(tags);
        }
    }

    public StoredSeries Open(StoredMetric metric, InternedTags tags)
    {
        if (metric.Series.TryGetValue(tags, out var series))
        {
            return series;
        }
        _metrics.TryAdd(metric.Name, metric);
        series = new StoredSeries();
        metric.Series.Add(tags, series);
        tags.Uses++;
        SeriesCount++;
        return series;
    }

    public void CountPoint() => PointCount++;

    public long DropBefore(long second)
    {
        var dropped = 0;
        foreach (var metric in _metrics.Values)
        {
            foreach (var (tags, series) in metric.Series)
            {
                dropped += series.DropBefore((uint)Math.Max(0, second));
                if (series.Count == 0)
                {
                    Close(metric, tags);
                }
            }
        }
        PointCount -= dropped;
        return dropped;
    }

    /// <summary>Lets the oldest go where there is too much.</summary>
    public void Evict()
    {
        if (PointCount > limits.Points)
        {
            EvictedPoints += DropBefore(FirstSecondThatFits());
        }
        if (SeriesCount > limits.Series)
        {
            EvictSeries();
        }
    }

    private long FirstSecondThatFits()
    {
        var perSecond = new Dictionary<uint, int>();
        foreach (var series in _metrics.Values.SelectMany(metric => metric.Series.Values))
        {
            foreach (var second in series.Times)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(perSecond, second, out _)++;
            }
        }
        var excess = PointCount - (int)(limits.Points * RoomAfterEviction);
        foreach (var (second, count) in perSecond.OrderBy(pair => pair.Key))
        {
            excess -= count;
            if (excess <= 0)
            {
                return second + 1L;
            }
        }
        return 0;
    }

    private void EvictSeries()
    {
        var silentLongest = _metrics
            .Values.SelectMany(metric => metric.Series.Select(pair => (Metric: metric, Tags: pair.Key, pair.Value)))
            .OrderBy(entry => entry.Value.LastTime)
            .Take(SeriesCount - (int)(limits.Series * RoomAfterEviction))
            .ToList();
        foreach (var (metric, tags, series) in silentLongest)
        {
            PointCount -= series.Count;
            EvictedPoints += series.Count;
            EvictedSeries++;
            Close(metric, tags);
        }
    }

    private void Close(StoredMetric metric, InternedTags tags)
    {
        metric.Series.Remove(tags);
        SeriesCount--;
        tags.Uses--;
        Release(tags);
        if (metric.Series.Count == 0)
        {
            _metrics.Remove(metric.Name);
        }
    }
}
