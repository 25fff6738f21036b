using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>How samples are spread: in each bucket of time, how many there are in each range of values.</summary>
/// <param name="Bounds">The lower bound of each range, and the upper one of the last; empty without samples.</param>
/// <param name="Times">The beginnings of the buckets that hold any, POSIX seconds.</param>
/// <param name="Counts">For each of those, how many samples each range holds.</param>
internal sealed record Histogram(
    IReadOnlyList<double> Bounds,
    IReadOnlyList<long> Times,
    IReadOnlyList<IReadOnlyList<int>> Counts
)
{
    public static Histogram Of(IReadOnlyCollection<MetricPoint> samples, QueryWindow window, int bins)
    {
        if (samples.Count == 0)
        {
            return new Histogram([], [], []);
        }
        var (min, max) = (samples.Min(sample => sample.Value), samples.Max(sample => sample.Value));
        // Samples that are all the same are in one range around them.
        var width = max > min ? (max / bins) - (min / bins) : 1;
        var interval = window.IntervalOf(null);
        var counts = new SortedDictionary<long, int[]>();
        foreach (var sample in samples)
        {
            var bucket = window.BucketOf(sample.Time, interval);
            if (!counts.TryGetValue(bucket, out var row))
            {
                counts[bucket] = row = new int[bins];
            }
            row[Math.Min(bins - 1, (int)((sample.Value - min) / width))]++;
        }
        return new Histogram(
            [.. Enumerable.Range(0, bins + 1).Select(i => min + (i * width))],
            [.. counts.Keys],
            [.. counts.Values]
        );
    }
}
