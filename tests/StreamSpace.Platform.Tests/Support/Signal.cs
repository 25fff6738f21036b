namespace StreamSpace.Platform.Tests.Support;

/// <summary>Wakes whoever waits for a condition each time that something may have changed it.</summary>
public sealed class Signal
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Something changed.</summary>
    public void Raise()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Returns once <paramref name="condition"/> holds; looks at each signal, and now and then without one.</summary>
    /// <exception cref="TimeoutException">It did not come to hold; the message names <paramref name="what"/> and says what is so <paramref name="instead"/>.</exception>
    public async Task UntilAsync(Func<bool> condition, string what, Func<string>? instead = null)
    {
        using var timeout = new CancellationTokenSource(Patience.Enough);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
            }
            if (condition())
            {
                return;
            }
            try
            {
                await changed.WaitAsync(LookAgainAfter, timeout.Token);
            }
            catch (TimeoutException)
            {
                // Looks again: not all that may change the condition raises the signal.
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited in vain for: {what}. {instead?.Invoke()}");
            }
        }
    }
}
