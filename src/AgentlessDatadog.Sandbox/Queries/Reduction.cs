using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// How the points of one metric become the values that one query asks for. Buckets are <c>Interval</c> seconds wide.
/// <c>OverTime</c> makes a series' points one value per bucket, and is null for samples, which skip that step.
/// <c>PointFactor</c> turns a rate's points into counts, <c>BucketFactor</c> a bucket's count into a rate.
/// </summary>
internal sealed record Reduction(
    MetricQuery Query,
    QueryWindow Window,
    int Interval,
    Aggregation? OverTime,
    double PointFactor,
    double BucketFactor
)
{
    /// <param name="query">The query.</param>
    /// <param name="metric">The metric it names.</param>
    /// <param name="window">The time that it is about.</param>
    /// <exception cref="ApiError">400: a rollup method on a distribution.</exception>
    public static Reduction For(MetricQuery query, StoredMetric metric, QueryWindow window)
    {
        if (query.Space == Aggregation.Histogram)
        {
            throw ApiError.BadRequest(
                $"histogram:{query.Metric} is how samples are spread, for a heat map; it is no line"
            );
        }
        var interval = window.IntervalOf(query.RollupSeconds);
        var perSecond = query.Reading == Reading.AsRate ? 1.0 / interval : 1.0;
        if (metric.Type == IntakeMetricType.Distribution)
        {
            return query.RollupMethod is null
                ? new Reduction(query, window, interval, OverTime: null, PointFactor: 1, perSecond)
                : throw ApiError.BadRequest(
                    $"{query.Metric} is a distribution, aggregated by the word before its name; write rollup(seconds)"
                );
        }
        if (query.NeedsPercentiles)
        {
            throw ApiError.BadRequest($"{query.Metric} is not a distribution; {query.SpaceText}: needs one");
        }
        var readsCounts = metric.Type == IntakeMetricType.Rate && query.Reading == Reading.AsCount;
        var sums = metric.Type == IntakeMetricType.Count || readsCounts;
        return new Reduction(
            query,
            window,
            interval,
            query.RollupMethod ?? (sums ? Aggregation.Sum : Aggregation.Avg),
            readsCounts ? Math.Max(1, metric.Interval) : 1,
            metric.Type == IntakeMetricType.Count && query.Space != Aggregation.Count ? perSecond : 1
        );
    }
}
