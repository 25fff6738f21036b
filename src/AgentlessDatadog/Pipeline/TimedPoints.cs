namespace AgentlessDatadog.Pipeline;

/// <summary>A gauge's value at a second that its sender chose.</summary>
internal readonly record struct TimedPoint(Series Series, long Second, double Value, int Items);

/// <summary>
/// Gauge values that carry their own time. Datadog keeps the last point of a series and second
/// (docs/reference/datadog.md §3.5), so that no second is used twice for as long as Datadog would take it.
/// </summary>
internal sealed class TimedPoints
{
    private readonly Dictionary<(Series Series, long Second), TimedPoint> _pending = [];
    private readonly Dictionary<long, HashSet<Series>> _used = [];
    private readonly HashSet<long> _flushes = [];

    /// <summary>Why a second can no longer be used, or null.</summary>
    public string? TimeError(Series series, long second)
    {
        var used = _used.TryGetValue(second, out var those) && those.Contains(series);
        return used || (series.WasFlushed && _flushes.Contains(second))
            ? "a point of this series at this second has been sent already"
            : null;
    }

    public void Put(Series series, long second, double value, bool isItem)
    {
        var items = _pending.GetValueOrDefault((series, second)).Items + (isItem ? 1 : 0);
        _pending[(series, second)] = new TimedPoint(series, second, value, items);
    }

    /// <summary>Whether a point at this second, which was then in the future, has been sent.</summary>
    public bool IsUsed(Series series, long second) =>
        _used.Count > 0 && _used.TryGetValue(second, out var those) && those.Contains(series);

    /// <summary>A flush is made at this second.</summary>
    public void Pass(long flush)
    {
        Forget(flush - 2 * 3600);
        _flushes.Add(flush);
    }

    /// <summary>Takes all points, oldest first.</summary>
    public List<TimedPoint> Take()
    {
        var taken = _pending.Values.OrderBy(point => point.Second).ToList();
        foreach (var point in taken)
        {
            if (!_used.TryGetValue(point.Second, out var those))
            {
                _used.Add(point.Second, those = []);
            }

            those.Add(point.Series);
        }
        _pending.Clear();
        return taken;
    }

    /// <summary>Puts points back that were taken and not sent; a newer value for the same second stays.</summary>
    public void Restore(long flush, List<TimedPoint> taken)
    {
        _flushes.Remove(flush);
        foreach (var point in taken)
        {
            _used[point.Second].Remove(point.Series);
            _pending.TryAdd((point.Series, point.Second), point);
        }
    }

    private void Forget(long before)
    {
        _flushes.RemoveWhere(second => second < before);
        foreach (var second in _used.Keys.Where(second => second < before).ToList())
        {
            _used.Remove(second);
        }
    }
}
