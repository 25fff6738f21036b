namespace AgentlessDatadog;

/// <summary>When a cut is. Belongs to the loop.</summary>
/// <param name="Second">Unix second that its points carry.</param>
/// <param name="Interval">Seconds since the cut before it, at least 1.</param>
/// <param name="Now">The time of day.</param>
/// <param name="Stamp">The same by the clock that never steps.</param>
internal readonly record struct CutTime(long Second, long Interval, DateTimeOffset Now, long Stamp);

/// <summary>
/// Gives every cut a second later than any before it that Datadog may have taken, also when the clock steps back, and
/// measures the interval by a clock that cannot. Belongs to the loop.
/// </summary>
internal sealed class CutClock(TimeProvider clock)
{
    // How far ahead of its clock Datadog takes a point (docs/reference/datadog.md §3.5).
    private const long TakenAhead = 600;

    private long _lastSecond;
    private long _lastStamp;

    /// <summary>Whether the time of day is past the last cut, so that another would not run ahead of it.</summary>
    public bool IsFree => clock.GetUtcNow().ToUnixTimeSeconds() > _lastSecond;

    public void Start(long lastSecond)
    {
        _lastSecond = lastSecond;
        _lastStamp = clock.GetTimestamp();
    }

    /// <param name="isClockRight">
    /// Whether Datadog says so: then it has dropped what lies far ahead, and cuts begin again at the time of day.
    /// </param>
    public CutTime Next(bool isClockRight)
    {
        var now = clock.GetUtcNow();
        var second = now.ToUnixTimeSeconds();
        if (!isClockRight || _lastSecond <= second + TakenAhead)
            second = Math.Max(second, _lastSecond + 1);
        var stamp = clock.GetTimestamp();
        var interval = (long)Math.Round(clock.GetElapsedTime(_lastStamp, stamp).TotalSeconds);
        return new CutTime(second, Math.Max(1, interval), now, stamp);
    }

    /// <summary>The cut has been kept: the next one is later. One that was not kept may be made again.</summary>
    public void Keep(CutTime cut) => (_lastSecond, _lastStamp) = (cut.Second, cut.Stamp);
}
