namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>Which times are taken, all in POSIX seconds, both ends included.</summary>
internal static class TimeWindow
{
    /// <summary>Points: docs/reference/datadog.md §3.5.</summary>
    public const long PointPast = 3_600;

    /// <summary>Points: §3.5.</summary>
    public const long PointFuture = 600;

    /// <summary>Events, spans and logs: §4.1, §5.3, §6.2.</summary>
    public const long EventPast = 18 * 3_600;

    /// <summary>Events, spans and logs: §4.1, §5.3, §6.2.</summary>
    public const long EventFuture = 2 * 3_600;
}
