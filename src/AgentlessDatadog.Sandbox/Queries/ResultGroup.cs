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
            for (var i = 0; i < times.Length; i++)
            {
                Bucket(times[i] - (times[i] % reduction.Interval)).Fold(values[i]);
            }
            return;
        }
        for (var i = 0; i < times.Length; )
        {
            var start = times[i] - (times[i] % reduction.Interval);
            var bucket = new Accumulator();
            for (; i < times.Length && times[i] < start + reduction.Interval; i++)
            {
                bucket.Fold(values[i] * reduction.PointFactor);
            }
            Bucket(start).Fold(bucket.Result(overTime));
        }
    }

    public List<MetricPoint> Points(Reduction reduction)
    {
        var points = new List<MetricPoint>(_buckets.Count);
        foreach (var (start, bucket) in _buckets)
        {
            points.Add(new MetricPoint(start, bucket.Result(reduction.Query.Space) * reduction.BucketFactor));
        }
        points.Sort(static (left, right) => left.Time.CompareTo(right.Time));
        return points;
    }

    private ref Accumulator Bucket(long start) =>
        ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, start, out _);
}
