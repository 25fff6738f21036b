namespace AgentlessDatadog.Pipeline;

/// <summary>Ticks once an interval. Set by one caller at a time.</summary>
internal sealed class FlushTimer(TimeProvider clock, Action tick) : IAsyncDisposable
{
    private ITimer? _timer;
    private long _ticked;

    /// <summary>Whether it has begun to tick.</summary>
    public bool HasBegun => _timer is not null;

    /// <summary>
    /// Ticks in this interval from now on, counted from the last tick: a config that changes all the time must not put the
    /// flush off.
    /// </summary>
    public void Use(TimeSpan interval)
    {
        if (_timer is null)
        {
            Volatile.Write(ref _ticked, clock.GetTimestamp());
        }

        _timer ??= clock.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var rest = interval - clock.GetElapsedTime(Volatile.Read(ref _ticked));
        _timer.Change(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, interval);
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Tick()
    {
        Volatile.Write(ref _ticked, clock.GetTimestamp());
        tick();
    }
}
