namespace StreamSpace.Platform;

/// <summary>How long to wait before another try: doubling up to a limit, the upper half of it by chance.</summary>
/// <param name="First">The wait after one failure, at most.</param>
/// <param name="Limit">The wait after many, at most.</param>
internal readonly record struct BackOff(TimeSpan First, TimeSpan Limit)
{
    /// <summary>The wait after <paramref name="failures"/> in a row, one or more.</summary>
    /// <param name="failures">How many.</param>
    /// <param name="random">Uniform in [0, 1).</param>
    public TimeSpan After(int failures, double random)
    {
        var longest = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 30)), Limit.TotalSeconds);
        return TimeSpan.FromSeconds(longest * (0.5 + (random / 2)));
    }
}
