using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

// Every call into a plugin has a limit. A thread cannot be ended from outside, but nobody has to wait for it: a plugin that
// does not come back is isolated.
internal sealed partial class HostedPlugin
{
    // A property should answer at once; this is for one that is stuck.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2);

    private TimeSpan Limit => surroundings.Settings.CallLimit;

    private async Task<T> WithinAsync<T>(Func<Task<T>> call, string what)
    {
        var running = Task.Run(call);
        await WithinAsync(running, what);
        return await running;
    }

    private Task WithinAsync(Func<Task> call, string what) => WithinAsync(Task.Run(call), what);

    private async Task WithinAsync(Task running, string what)
    {
        try
        {
            await running.WaitAsync(Limit, surroundings.Clock);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            Isolate(what, Limit);
            throw new PluginHangsException(Detail);
        }
    }

    // A plugin may throw at any question, or never answer. Whoever asks needs the answer here and now: so the wait blocks,
    // for two seconds at most, and once.
    private T Ask<T>(Func<IPlugin, T> question, T nobody, Func<Exception, T> broken)
    {
        if (Plugin is not { } plugin)
        {
            return nobody;
        }
        var limit = Limit < LongestAnswer ? Limit : LongestAnswer;
        var asking = Task.Run(() => question(plugin));
        if (Task.WaitAny([asking], limit) < 0)
        {
            Isolate("a question about itself", limit);
            return nobody;
        }
        return asking.Exception?.InnerException is { } e ? broken(e) : asking.GetAwaiter().GetResult();
    }

    private void Isolate(string what, TimeSpan limit)
    {
        Plugin = null;
        LetGo();
        (State, Detail) = (
            PluginState.Isolated,
            $"isolated: it did not come back from {what} within {limit.TotalSeconds:0.#} s. Reload it to try a new copy. Restart this process to free what the old one holds."
        );
        _log?.Logger.LogError("{Plugin} is {Detail}", Name, Detail);
    }
}
