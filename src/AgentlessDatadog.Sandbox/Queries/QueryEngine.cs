using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// One line of an answer: a group's tags in the order of the query's keys, and its points, one for each bucket that
/// holds anything. A point's time is its bucket's start; interval and times are in seconds.
/// </summary>
internal sealed record ResultSeries(
    MetricQuery Query,
    int QueryIndex,
    IReadOnlyList<string> TagSet,
    string? Unit,
    int Interval,
    IReadOnlyList<MetricPoint> Points
);

/// <summary>
/// Answers a query in Datadog's two steps: within each series over time, by bucket; then across the series of a
/// group. Samples of distributions go into the second step directly.
/// </summary>
internal static class QueryEngine
{
    private const string NoValue = "N/A";

    // What an answer of one text may hold: as much as a thousand lines of a thousand points.
    private const int MaxPoints = 1_000_000;

    /// <param name="store">Where the points are.</param>
    /// <param name="queries">What to answer, in this order.</param>
    /// <param name="from">First second, included.</param>
    /// <param name="to">Last second, included.</param>
    /// <exception cref="ApiError">400 for what the metric's type cannot answer, and for more points than an answer may hold.</exception>
    public static List<ResultSeries> Run(MetricStore store, IReadOnlyList<MetricQuery> queries, long from, long to) =>
        store.Read(
            (metrics, _, firstKept) =>
            {
                var results = new List<ResultSeries>();
                var left = MaxPoints;
                for (var i = 0; i < queries.Count; i++)
                {
                    if (metrics.TryGetValue(queries[i].Metric, out var metric))
                    {
                        var reduction = Reduction.For(queries[i], metric, to - from);
                        foreach (var group in Group(metric, reduction, Math.Max(from, firstKept), to, ref left))
                        {
                            var unit = metric.Metadata.Unit;
                            results.Add(
                                new ResultSeries(
                                    queries[i],
                                    i,
                                    group.Tags,
                                    unit,
                                    reduction.Interval,
                                    group.Points(reduction)
                                )
                            );
                        }
                    }
                }
                return results;
            }
        );

    private static IEnumerable<ResultGroup> Group(
        StoredMetric metric,
        Reduction reduction,
        long from,
        long to,
        ref int left
    )
    {
        var groups = new Dictionary<string, ResultGroup>(StringComparer.Ordinal);
        foreach (var (tags, series) in metric.Series)
        {
            var first = IndexOf(series.Times, from);
            var end = IndexOf(series.Times, to + 1);
            if (first == end || !reduction.Query.Scope.Matches(tags.Tags))
            {
                continue;
            }
            var groupTags = GroupTags(reduction.Query.GroupBy, tags);
            var key = groupTags.Length == 1 ? groupTags[0] : string.Join(',', groupTags);
            if (!groups.TryGetValue(key, out var group))
            {
                group = new ResultGroup(key, groupTags);
                groups.Add(key, group);
            }
            var before = group.Count;
            group.Fold(series.Times[first..end], series.Values[first..end], reduction);
            left -= group.Count - before;
            if (left < 0)
            {
                throw ApiError.BadRequest(
                    $"The answer would hold more than {MaxPoints} points; ask for a shorter time, wider buckets or fewer groups"
                );
            }
        }
        return groups.Values.OrderBy(group => group.Key, StringComparer.Ordinal);
    }

    private static string[] GroupTags(IReadOnlyList<string> keys, InternedTags tags)
    {
        if (keys.Count == 0)
        {
            return [];
        }
        var group = new string[keys.Count];
        for (var i = 0; i < group.Length; i++)
        {
            group[i] = $"{keys[i]}:{tags.ValueOf(keys[i]) ?? NoValue}";
        }
        return group;
    }

    /// <summary>Index of the first time that is not before a second.</summary>
    private static int IndexOf(ReadOnlySpan<uint> times, long second)
    {
        var (low, high) = (0, times.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (times[middle] < second)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
