namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>Time that passes faster than ours, for those who wait by it: real I/O, short back-offs.</summary>
public sealed class HurriedClock(DateTimeOffset begin, int rate = 20) : TimeProvider
{
    private readonly long _begun = System.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => System.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => (System.GetTimestamp() - _begun) * rate;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => begin + GetElapsedTime(0);

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Hurried(dueTime), Hurried(period));

    private TimeSpan Hurried(TimeSpan wait) => wait == Timeout.InfiniteTimeSpan ? wait : wait / rate;
}
