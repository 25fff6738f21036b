using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// One series of an answer: a group's tags in the order of the query's keys, and its points, one for each bucket that
/// holds anything. A point's time is its bucket's start; interval and times are in seconds.
/// </summary>
internal sealed record ResultSeries(
    IReadOnlyList<string> TagSet,
    string? Unit,
    int Interval,
    IReadOnlyList<MetricPoint> Points
)
{
    /// <summary>The group as one text.</summary>
    public string Group => string.Join(',', TagSet);
}

/// <summary>What an expression comes to: a series for each group, or one number that holds at any time.</summary>
internal sealed record Result(IReadOnlyList<ResultSeries> Series)
{
    public double? Constant { get; init; }

    /// <summary>True when a group or a point that is not there stands for 0.</summary>
    public bool IsZeroWhereMissing { get; init; }
}
