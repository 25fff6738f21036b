using AgentlessDatadog.Delivery;

namespace AgentlessDatadog.Pipeline;

/// <summary>When a flush is. Belongs to the loop.</summary>
/// <param name="Second">Unix second that its points carry.</param>
/// <param name="Interval">Seconds since the flush before it, at least 1.</param>
/// <param name="Now">The time of day.</param>
/// <param name="Stamp">The same by the clock that never steps.</param>
internal readonly record struct FlushTime(long Second, long Interval, DateTimeOffset Now, long Stamp);

/// <summary>
/// Gives every flush a second of its own, later than any before it that Datadog may have taken. Time alone makes seconds
/// free: where there is none, the flush waits. The interval is measured by a clock that cannot step. Belongs to the loop.
/// </summary>
internal sealed class FlushClock(DatadogClock clock)
{
    // How far ahead of its own clock Datadog takes a point (docs/reference/datadog.md §3.5).
    private const long TakenAhead = 600;

    // So that a change of config and the end need not wait when the interval has just taken this second.
    private const long Lead = 2;

    // Of the seconds that were used, as many as a day has at the shortest interval of an operator.
    private const int Remembered = 8640;

    private readonly SortedSet<long> _used = [];

    // Up to here nobody remembers which seconds were used.
    private long _usedUp;
    private long _lastStamp;

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    private long Last => Math.Max(_usedUp, _used.Max);

    /// <summary>Whether the time of day is past the last flush, so that another would not run ahead of it.</summary>
    public bool IsFree => Now > Last;

    /// <summary>How long the next flush has to wait for a second; zero: it need not.</summary>
    public TimeSpan Wait => TimeSpan.FromSeconds(Math.Max(0, Last + 1 - Lead - Now));

    /// <summary>The last second that Datadog may have taken points of.</summary>
    public DateTimeOffset LastTaken => DateTimeOffset.FromUnixTimeSeconds(Last);

    public void Start(long lastSecond)
    {
        _usedUp = lastSecond;
        _lastStamp = clock.GetTimestamp();
    }

    /// <summary>
    /// Gives back the seconds that lie so far ahead of Datadog's clock that it has taken no point of them. Returns whether
    /// there were any: what waits to be sent with them must not be sent any more.
    /// </summary>
    public bool Release()
    {
        var taken = Now + TakenAhead;
        if (!clock.IsKnown || Last <= taken)
        {
            return false;
        }

        _used.RemoveWhere(second => second > taken);
        _usedUp = Math.Min(_usedUp, taken);
        return true;
    }

    public FlushTime Next()
    {
        var now = clock.GetUtcNow();
        var second = Math.Max(now.ToUnixTimeSeconds(), Last + 1);
        var stamp = clock.GetTimestamp();
        var interval = (long)Math.Round(clock.GetElapsedTime(_lastStamp, stamp).TotalSeconds);
        return new FlushTime(second, Math.Max(1, interval), now, stamp);
    }

    /// <summary>The flush has been kept: the next one is later. One that was not kept may be made again.</summary>
    public void Keep(FlushTime flush)
    {
        _lastStamp = Math.Max(_lastStamp, flush.Stamp);
        _used.Add(flush.Second);
        if (_used.Count <= Remembered)
        {
            return;
        }

        _usedUp = Math.Max(_usedUp, _used.Min);
        _used.Remove(_used.Min);
    }
}
