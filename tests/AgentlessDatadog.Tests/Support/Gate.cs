namespace AgentlessDatadog.Tests.Support;

/// <summary>What waits at it goes on once it is open, at the latest when the test ends, however it ends.</summary>
public sealed class Gate : IDisposable
{
    private readonly ManualResetEventSlim _isOpen = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => _opened.Task;

    public void Wait() => _isOpen.Wait();

    public void Open()
    {
        _isOpen.Set();
        _opened.TrySetResult();
    }

    public void Dispose() => Open();
}
