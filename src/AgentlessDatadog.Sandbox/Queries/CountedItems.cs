using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>How many events, logs or spans a search finds, by bucket and by the values of fields.</summary>
internal static class CountedItems
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const string NoValue = "N/A";

    // Between the tags of a group while they are one text: no value holds it.
    private const char Separator = '\u001f';

    /// <param name="items">What is searched.</param>
    /// <param name="filter">What is wanted.</param>
    /// <param name="fields">What they are counted by; an item with several values of a field counts for the first.</param>
    /// <param name="window">For what time.</param>
    public static Result Of(
        IEnumerable<ISearchable> items,
        SearchFilter filter,
        IReadOnlyList<string> fields,
        QueryWindow window
    )
    {
        var interval = window.IntervalOf(null);
        return new Result([
            .. items
                .Where(item =>
                    item.Time / NanosecondsPerSecond >= window.From
                    && item.Time / NanosecondsPerSecond <= window.To
                    && filter.Matches(item)
                )
                .GroupBy(item =>
                    string.Join(
                        Separator,
                        fields.Select(field => $"{field}:{item.ValuesOf(field).FirstOrDefault() ?? NoValue}")
                    )
                )
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new ResultSeries(
                    group.Key.Length == 0 ? [] : group.Key.Split(Separator),
                    null,
                    interval,
                    [
                        .. group
                            .CountBy(item => window.BucketOf(item.Time / NanosecondsPerSecond, interval))
                            .OrderBy(bucket => bucket.Key)
                            .Select(bucket => new MetricPoint(bucket.Key, bucket.Value)),
                    ]
                )),
        ]);
    }
}
