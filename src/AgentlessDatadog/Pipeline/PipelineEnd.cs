using AgentlessDatadog.Delivery;
using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Pipeline;

/// <summary>How a pipeline ends: the last flushes, the sending of what is left, and the handing over to the store.</summary>
internal sealed class PipelineEnd(
    PipelineLoop loop,
    GuardedStore store,
    Journal journal,
    IReadOnlyList<LaneSender> lanes,
    TimeProvider clock,
    ILogger logger
)
{
    // How long it waits for a flush, and for what is still under way.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Takes nothing more, flushes and sends what can be sent; then once more, for what was counted about that. What is left when
    /// the token fires stays in the store.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        loop.Close();
        foreach (var isLast in new[] { false, true })
        {
            await FlushAsync(isLast).ConfigureAwait(false);
            await SendRestAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the loop and the lanes; what does not come back is left behind, so that the process can end.</summary>
    public async Task EndAsync(Task running)
    {
        loop.Abandon();
        await WaitAsync(running).ConfigureAwait(false);
        // For the last time: what only memory holds is lost with it.
        await WaitAsync(journal.RecoverAsync()).ConfigureAwait(false);
        if (store.Error is { } error)
        {
            logger.LogError(
                "{Error} {Requests} requests and their answers that only memory kept are lost",
                error,
                journal.Outbox.Settlements.Count
            );
        }
    }

    // A store, or an observation, that hangs must not keep the last flush from being made.
    private async Task FlushAsync(bool isLast)
    {
        var flush = isLast ? loop.FlushAsync(isLast: true) : loop.FlushEarlyAsync();
        await WaitAsync(flush).ConfigureAwait(false);
        if (!flush.IsCompleted)
        {
            loop.Observation.Leave();
            store.Release();
        }
        try
        {
            await flush.WaitAsync(EndTimeout, clock, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // What counts is in the journal, for the next process.
        }
    }

    private async Task SendRestAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var changed = journal.Outbox.Changed.Next;
            if (lanes.All(lane => lane.IsIdle))
            {
                return;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WaitAsync(Task task)
    {
        using var ended = new CancellationTokenSource();
        await Task.WhenAny(task, Task.Delay(EndTimeout, clock, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
    }
}
