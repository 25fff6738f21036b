using System.Runtime.InteropServices;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>The buckets of one group while they are filled.</summary>
internal sealed class ResultGroup(string key, string[] tags)
{
    private readonly Dictionary<long, Accumulator> _buckets = [];

    public string Key => key;

    public string[] Tags => tags;

    public int Count => _buckets.Count;

    public void Fold(ReadOnlySpan<uint> times, ReadOnlySpan<double> values, Reduction reduction)
    {
        if (reduction.OverTime is not { } overTime)
        {
            FoldSamples(times, values, reduction);
            return;
        }
        for (var i = 0; i < times.Length; )
        {
            var start = reduction.Window.BucketOf(times[i], reduction.Interval);
            var bucket = new Accumulator();
            for (; i < times.Length && times[i] < start + reduction.Interval; i++)
            {
                bucket.Fold(values[i] * reduction.PointFactor);
            }
            Bucket(start).Fold(bucket.Result(overTime));
        }
    }

    private void FoldSamples(ReadOnlySpan<uint> times, ReadOnlySpan<double> values, Reduction reduction)
    {
        var query = reduction.Query;
        for (var i = 0; i < times.Length; i++)
        {
            ref var bucket = ref Bucket(reduction.Window.BucketOf(times[i], reduction.Interval));
            if (query.Space == Aggregation.Percentile)
            {
                bucket.Keep(values[i]);
            }
            else if (query.Counted is not { } condition || condition.Holds(values[i]))
            {
                bucket.Fold(values[i]);
            }
        }
    }

    public List<MetricPoint> Points(Reduction reduction)
    {
        var points = new List<MetricPoint>(_buckets.Count);
        foreach (var (start, bucket) in _buckets)
        {
            var value =
                reduction.Query.Space == Aggregation.Percentile
                    ? bucket.Percentile(reduction.Query.Percentile)
                    : bucket.Result(reduction.Query.Space) * reduction.BucketFactor;
            points.Add(new MetricPoint(start, value));
        }
        points.Sort(static (left, right) => left.Time.CompareTo(right.Time));
        return points;
    }

    private ref Accumulator Bucket(long start) =>
        ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, start, out _);
}
