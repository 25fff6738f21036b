namespace StreamSpace.PluginHost;

// How long a plugin is waited for, and what becomes of it then.
internal sealed partial class HostedPlugin
{
    private async Task<T> WithinAsync<T>(Func<Task<T>> call, string what)
    {
        var running = Task.Run(call);
        await WithinAsync(running, what);
        return await running;
    }

    private Task WithinAsync(Func<Task> call, string what) => WithinAsync(Task.Run(call), what);

    // A plugin that does not come back is isolated: a thread cannot be ended from outside, but nobody waits for it.
    private async Task WithinAsync(Task running, string what)
    {
        var limit = surroundings.Settings.CallLimit;
        try
        {
            await running.WaitAsync(limit, surroundings.Clock);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            Isolate($"it did not come back from {what} within {limit.TotalSeconds:0.#} s.");
            throw new PluginHangsException(Detail);
        }
    }

    private void Isolate(string why)
    {
        Plugin = null;
        (State, Detail) = (PluginState.Isolated, $"isolated: {why} Restart this process to free what it holds.");
        _log?.Logger.LogError("{Plugin} is {Detail}", Name, Detail);
    }
}
