using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A clock whose time of day can be set while the time that has passed goes on, as on a real machine.</summary>
public sealed class SettableClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private TimeSpan _set;
    private TimeSpan _slept;

    /// <summary>The time of day that a right clock would say.</summary>
    public DateTimeOffset Truth => GetUtcNow() - _set;

    /// <summary>Somebody sets it.</summary>
    public void Set(TimeSpan by)
    {
        _set += by;
        AdjustTime(GetUtcNow() + by);
    }

    /// <summary>The machine is suspended: its clock is right afterwards, and no time has passed for it.</summary>
    public void Sleep(TimeSpan time)
    {
        _slept += time;
        AdjustTime(GetUtcNow() + time);
    }

    // Its timestamps are ticks.
    public override long GetTimestamp() => base.GetTimestamp() - (_set + _slept).Ticks;
}
