namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// How wide the buckets of a query are when it does not say. The steps give Datadog's known pairs: 20 s for an hour,
/// 1 min for four hours, 5 min for a day, 1 h for a week.
/// </summary>
internal static class Interval
{
    private const int MaxBuckets = 300;

    private static readonly int[] Steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400];

    /// <summary>Seconds for a span of seconds.</summary>
    public static int For(long span)
    {
        foreach (var step in Steps)
        {
            if (span <= (long)step * MaxBuckets)
            {
                return step;
            }
        }
        return 86_400;
    }
}
