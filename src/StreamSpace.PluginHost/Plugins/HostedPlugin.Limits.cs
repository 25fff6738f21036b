using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

// Every call into a plugin has a limit. A thread cannot be ended from outside, but nobody has to wait for it: a plugin that
// does not come back is isolated.
internal sealed partial class HostedPlugin
{
    // A process that stood still for a while, on a suspended machine, finds every limit passed when it goes on. So when
    // one has passed, a plugin still has this long.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    // A plugin learns at the deadline of its unloading that it is to finish: what it holds then must still be kept, and its
    // files closed.
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    // A property should answer at once; this is for one that is stuck.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private TimeSpan Limit => host.Settings.CallTimeout;

    private async Task<T> WithinAsync<T>(Func<Task<T>> call, string what)
    {
        var running = Task.Run(call);
        await WithinAsync(running, what);
        return await running;
    }

    private Task WithinAsync(Func<Task> call, string what) => WithinAsync(Task.Run(call), what);

    private async Task WithinAsync(Task running, string what)
    {
        var instance = _instance;
        if (!await EndsWithinAsync(running, Limit) && !await EndsWithinAsync(running, Grace))
        {
            Isolate(instance, what, Limit);
            throw new PluginTimeoutException($"{Name}: {Detail}");
        }
        await running;
    }

    private async Task<bool> EndsWithinAsync(Task running, TimeSpan limit)
    {
        await running.WaitAsync(limit, host.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return running.IsCompleted;
    }

    // A plugin may throw at any question, or never answer. Whoever asks needs the answer here and now, so the wait blocks,
    // once. On a thread of its own: that the pool is busy must not look like a plugin that is stuck.
    private T Ask<T>(Func<IPlugin, T> question, T nobody, Func<Exception, T> broken)
    {
        if (_instance is not { IsLoaded: true, Plugin: { } plugin } instance)
        {
            return nobody;
        }
        var limit = Limit < AnswerTimeout ? Limit : AnswerTimeout;
        var asking = Task.Factory.StartNew(
            () => question(plugin),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        if (Task.WaitAny([asking], limit) < 0 && Task.WaitAny([asking], Grace) < 0)
        {
            Isolate(instance, "a question about itself", limit);
            return nobody;
        }
        return asking.Exception?.InnerException is { } e ? broken(e) : asking.GetAwaiter().GetResult();
    }
}
