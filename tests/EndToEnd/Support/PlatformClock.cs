namespace EndToEnd.Support;

/// <summary>A clock of the platform's, which someone sets while it runs.</summary>
public sealed class PlatformClock : TimeProvider
{
    private long _offset;

    /// <summary>How far it was set from true time.</summary>
    public TimeSpan Offset => TimeSpan.FromTicks(Interlocked.Read(ref _offset));

    /// <summary>Sets it forward, or back.</summary>
    public void Step(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
