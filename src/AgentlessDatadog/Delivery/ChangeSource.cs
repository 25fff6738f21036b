namespace AgentlessDatadog.Delivery;

/// <summary>Wakes whoever waits. Take <see cref="Next"/> before looking, so that no change in between is missed.</summary>
internal sealed class ChangeSource
{
    private TaskCompletionSource _next = Make();

    /// <summary>Completes at the next raise.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Raise() => Interlocked.Exchange(ref _next, Make()).TrySetResult();

    private static TaskCompletionSource Make() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
