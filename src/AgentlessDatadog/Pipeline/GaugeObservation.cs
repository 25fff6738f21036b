using AgentlessDatadog.Delivery;

namespace AgentlessDatadog.Pipeline;

/// <summary>The observation of gauges before a flush, on another thread, so that one that hangs costs its own gauges alone.</summary>
internal sealed class GaugeObservation(Action<DateTimeOffset> observe)
{
    private readonly ChangeSource _left = new();
    private Task _observing = Task.CompletedTask;

    /// <summary>Gauges are being observed.</summary>
    public Heartbeat Heartbeat { get; } = new();

    /// <summary>Waits no longer for gauges to be observed, and observes none until that has ended. Any thread.</summary>
    public void Leave() => _left.Raise();

    /// <summary>Returns when all are observed, or when they are no longer waited for. On the loop.</summary>
    public async Task RunAsync(DateTimeOffset second)
    {
        if (!_observing.IsCompleted)
        {
            return;
        }

        var left = _left.Next;
        Heartbeat.Beat();
        _observing = Task.Run(() => observe(second));
        await Task.WhenAny(_observing, left).ConfigureAwait(false);
        Heartbeat.Rest();
    }
}
