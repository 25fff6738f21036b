using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// Answers expressions. Queries are answered in Datadog's two steps: within each series over time, by bucket; then across
/// the series of a group. Samples of distributions go into the second step directly. All that is asked of one engine is told
/// from the same points, and together it may hold so many of them.
/// </summary>
internal sealed class QueryEngine
{
    private const string NoValue = "N/A";

    // What the answers may hold together: as much as a thousand series of a thousand points.
    private const int MaxPoints = 1_000_000;

    // Each looks at all series of its metric.
    private const int MaxQueries = 100;

    private readonly IReadOnlyDictionary<string, StoredMetric> _metrics;
    private readonly AssetStore _configurations;
    private readonly long _firstKept;
    private long _left = MaxPoints;
    private int _queries;

    private QueryEngine(IReadOnlyDictionary<string, StoredMetric> metrics, AssetStore configurations, long firstKept)
    {
        _metrics = metrics;
        _configurations = configurations;
        _firstKept = firstKept;
    }

    /// <summary>Lets <paramref name="ask"/> ask as much as belongs together.</summary>
    /// <param name="store">Where the points are.</param>
    /// <param name="configurations">By which tags metrics may be asked.</param>
    /// <param name="ask">Must not hold on to the engine.</param>
    public static T Run<T>(MetricStore store, AssetStore configurations, Func<QueryEngine, T> ask) =>
        store.Read((metrics, _, firstKept) => ask(new QueryEngine(metrics, configurations, firstKept)));

    /// <summary>What an expression comes to in a window.</summary>
    /// <param name="expression">What is asked.</param>
    /// <param name="window">For what time.</param>
    /// <param name="named">What each name in it stands for.</param>
    /// <exception cref="ApiError">
    /// 400 for what the metric's type cannot answer, for more points than an answer may hold, and for a name that nothing has.
    /// </exception>
    public Result Evaluate(
        Expression expression,
        QueryWindow window,
        Func<string, QueryWindow, Result?>? named = null
    ) =>
        expression switch
        {
            Expression.Number number => new Result([]) { Constant = number.Value },
            Expression.Metric metric => Answer(metric.Query, window),
            Expression.Reference reference => named?.Invoke(reference.Name, window)
                ?? throw ApiError.BadRequest($"Error parsing query: {reference.Name} is not the name of a query"),
            Expression.Arithmetic arithmetic => Reckon(
                arithmetic.Operator,
                Evaluate(arithmetic.Left, window, named),
                Evaluate(arithmetic.Right, window, named)
            ),
            Expression.Call call => Apply(call, window, named),
            _ => throw new ArgumentException($"No such expression: {expression}", nameof(expression)),
        };

    /// <summary>How the samples of a distribution are spread over time and values.</summary>
    /// <param name="query">Which samples; what else it says does not matter.</param>
    /// <param name="window">For what time.</param>
    /// <param name="bins">Into how many ranges of values, all as wide.</param>
    /// <exception cref="ApiError">400: the metric is no distribution, or there are too many points.</exception>
    public Histogram Spread(MetricQuery query, QueryWindow window, int bins)
    {
        if (!_metrics.TryGetValue(query.Metric, out var metric))
        {
            return Histogram.Of([], window, bins);
        }
        if (metric.Type != IntakeMetricType.Distribution)
        {
            throw ApiError.BadRequest($"{query.Metric} is not a distribution; histogram: needs one");
        }
        var configuration = ConfigurationOf(query);
        var samples = new List<MetricPoint>();
        foreach (var (tags, series) in metric.Series)
        {
            var first = IndexOf(series.Times, Math.Max(window.From, _firstKept));
            var end = IndexOf(series.Times, window.To + 1);
            if (
                first < end
                && query.Scope.Matches((configuration is null ? tags : tags.Where(configuration.Shows)).Tags)
            )
            {
                Spend(end - first);
                for (var i = first; i < end; i++)
                {
                    samples.Add(new MetricPoint(series.Times[i], series.Values[i]));
                }
            }
        }
        var interval = window.IntervalOf(null);
        Spend(samples.Select(sample => window.BucketOf(sample.Time, interval)).Distinct().LongCount() * bins);
        return Histogram.Of(samples, window, bins);
    }

    private TagConfiguration? ConfigurationOf(MetricQuery query) =>
        _configurations.Find(query.Metric) is { } asset ? TagConfiguration.Of(asset) : null;

    private Result Reckon(char sign, Result left, Result right)
    {
        Spend(Arithmetic.PointsIn(left, right));
        return Arithmetic.Of(sign, left, right);
    }

    private Result Apply(Expression.Call call, QueryWindow window, Func<string, QueryWindow, Result?>? named)
    {
        if (Functions.ShiftOf(call) is not { } seconds)
        {
            var of = Evaluate(call.Argument, window, named);
            Spend(Functions.PointsOf(call, of, window));
            return Functions.Apply(call, of, window);
        }
        var before = Evaluate(call.Argument, window.Before(seconds), named);
        return before with
        {
            Series =
            [
                .. before.Series.Select(series =>
                    series with
                    {
                        Points = [.. series.Points.Select(point => point with { Time = point.Time + seconds })],
                    }
                ),
            ],
        };
    }

    private Result Answer(MetricQuery query, QueryWindow window)
    {
        if (++_queries > MaxQueries)
        {
            throw ApiError.BadRequest($"More than {MaxQueries} queries are asked at once");
        }
        var isZeroWhereMissing = window.CountsAreZeroWhereMissing && query.Reading == Reading.AsCount;
        if (!_metrics.TryGetValue(query.Metric, out var metric))
        {
            return new Result([]) { IsZeroWhereMissing = isZeroWhereMissing };
        }
        var reduction = Reduction.For(query, metric, window);
        var configuration = ConfigurationOf(query);
        // Nothing was ever reckoned that could be answered (docs/reference/datadog.md §8.5).
        if (query.NeedsPercentiles && configuration is not { HasPercentiles: true })
        {
            return new Result([]);
        }
        var unit = query.Counted is null && query.Space != Aggregation.Count ? metric.Metadata.Unit : null;
        return new Result([
            .. Groups(metric, configuration, reduction, window)
                .Select(group => new ResultSeries(group.Tags, unit, reduction.Interval, group.Points(reduction))),
        ])
        {
            IsZeroWhereMissing = isZeroWhereMissing,
        };
    }

    private IEnumerable<ResultGroup> Groups(
        StoredMetric metric,
        TagConfiguration? configuration,
        Reduction reduction,
        QueryWindow window
    )
    {
        var groups = new Dictionary<string, ResultGroup>(StringComparer.Ordinal);
        foreach (var (tags, series) in metric.Series)
        {
            var first = IndexOf(series.Times, Math.Max(window.From, _firstKept));
            var end = IndexOf(series.Times, window.To + 1);
            var shown = configuration is null ? tags : tags.Where(configuration.Shows);
            if (first >= end || !reduction.Query.Scope.Matches(shown.Tags))
            {
                continue;
            }
            var groupTags = GroupTags(reduction.Query.GroupBy, shown);
            var key = groupTags.Length == 1 ? groupTags[0] : string.Join(',', groupTags);
            if (!groups.TryGetValue(key, out var group))
            {
                group = new ResultGroup(key, groupTags);
                groups.Add(key, group);
            }
            var before = group.Count;
            group.Fold(series.Times[first..end], series.Values[first..end], reduction);
            Spend(group.Count - before);
        }
        return groups.Values.OrderBy(group => group.Key, StringComparer.Ordinal);
    }

    /// <summary>Whatever is asked costs no more than so many points, also on its way.</summary>
    /// <exception cref="ApiError">400: it would cost more.</exception>
    public void Spend(long points)
    {
        _left -= points;
        if (_left < 0)
        {
            throw ApiError.BadRequest(
                $"The answer would hold more than {MaxPoints} points; ask for a shorter time, wider buckets or fewer groups"
            );
        }
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
