using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>
/// Stands around every call into a plugin. A thread cannot be ended from outside, but nobody has to wait for it: a copy that
/// does not come back in time is isolated.
/// </summary>
/// <param name="timeout">For one call.</param>
/// <param name="clock">Measures it.</param>
/// <param name="isolate">Isolates a copy for a reason; gives the sentence for whoever called it.</param>
internal sealed class PluginCallGuard(
    TimeSpan timeout,
    TimeProvider clock,
    Func<PluginInstance, string, string> isolate
)
{
    // A property should answer at once; this is for one that is stuck.
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    // A process that stood still for a while, on a suspended machine, finds every timeout passed when it goes on. So when
    // one has passed, a plugin still has this long.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    /// <summary>What the call gives, or throws.</summary>
    /// <param name="instance">Which copy is called.</param>
    /// <param name="call">The call.</param>
    /// <param name="what">Names it, as in "loading".</param>
    /// <param name="giveUp">Ends the wait early, for something else is to be done with the plugin.</param>
    /// <exception cref="PluginIsolatedException">The copy did not come back, and is isolated.</exception>
    public async Task<T> CallAsync<T>(
        PluginInstance instance,
        Func<Task<T>> call,
        string what,
        CancellationToken giveUp = default
    )
    {
        var running = Task.Run(call, CancellationToken.None);
        if (
            !await EndsWithinAsync(running, timeout, giveUp)
            && !await EndsWithinAsync(running, EndTimeout, CancellationToken.None)
        )
        {
            var reason = giveUp.IsCancellationRequested
                ? $"it had not come back from {what} when something else was to be done"
                : Reason(what, timeout);
            throw new PluginIsolatedException(isolate(instance, reason));
        }
        return await running;
    }

    /// <inheritdoc cref="CallAsync{T}"/>
    public Task CallAsync(PluginInstance instance, Func<Task> call, string what, CancellationToken giveUp = default) =>
        CallAsync(
            instance,
            async () =>
            {
                await call();
                return true;
            },
            what,
            giveUp
        );

    /// <summary>
    /// Asks a copy about itself. It may throw, or never answer. Whoever asks needs the answer here and now, so the wait blocks,
    /// once.
    /// </summary>
    /// <param name="instance">Which, or null.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="nobody">The answer when there is no copy that may be asked, or it does not answer.</param>
    /// <param name="broken">The answer when it throws.</param>
    public T Ask<T>(PluginInstance? instance, Func<IPlugin, T> question, T nobody, Func<Exception, T> broken)
    {
        if (instance is not { IsLoaded: true, Plugin: { } plugin })
        {
            return nobody;
        }
        var within = timeout < AnswerTimeout ? timeout : AnswerTimeout;
        // On a thread of its own: that the pool is busy must not look like a plugin that is stuck.
        var asking = Task.Factory.StartNew(
            () => question(plugin),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        if (Task.WaitAny([asking], within) < 0 && Task.WaitAny([asking], EndTimeout) < 0)
        {
            isolate(instance, Reason("a question about itself", within));
            return nobody;
        }
        return asking.Exception?.InnerException is { } e ? broken(e) : asking.GetAwaiter().GetResult();
    }

    private static string Reason(string what, TimeSpan timeout) =>
        $"it did not come back from {what} within {timeout.TotalSeconds:0.#} s";

    private async Task<bool> EndsWithinAsync(Task running, TimeSpan within, CancellationToken giveUp)
    {
        await running.WaitAsync(within, clock, giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return running.IsCompleted;
    }
}
