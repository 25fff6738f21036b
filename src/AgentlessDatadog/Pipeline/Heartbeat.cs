namespace AgentlessDatadog.Pipeline;

/// <summary>Whether a stage has something in hand, and whether it moves. Any thread.</summary>
internal sealed class Heartbeat
{
    private long _beats;
    private volatile bool _isBusy;

    /// <summary>A number that changes with every move; null while the stage has nothing in hand or waits on purpose.</summary>
    public long? Busy => _isBusy ? Volatile.Read(ref _beats) : null;

    /// <summary>The stage has something in hand, and has just moved.</summary>
    public void Beat()
    {
        Interlocked.Increment(ref _beats);
        _isBusy = true;
    }

    /// <summary>The stage has nothing in hand.</summary>
    public void Rest() => _isBusy = false;
}
