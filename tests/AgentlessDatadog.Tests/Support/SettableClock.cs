using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A clock whose time of day can be set while the time that has passed goes on, as on a real machine.</summary>
public sealed class SettableClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private TimeSpan _set;

    public void Set(TimeSpan by)
    {
        _set += by;
        AdjustTime(GetUtcNow() + by);
    }

    public override long GetTimestamp() =>
        base.GetTimestamp() - (_set.Ticks * TimestampFrequency / TimeSpan.TicksPerSecond);
}
