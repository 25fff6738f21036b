using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>One that is told every batch, until it is disposed.</summary>
internal sealed class Listener(
    string name,
    Func<PlatformBatch, CancellationToken, ValueTask> take,
    Func<Listener, ValueTask> detach,
    TimeProvider clock,
    Func<double> chance,
    ILogger logger
) : IAsyncDisposable
{
    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private readonly CancellationTokenSource _detached = new();

    /// <summary>Gives it each of the batches, once: a failure is the caller's.</summary>
    public async ValueTask BeginAsync(IReadOnlyList<PlatformBatch> beginning, CancellationToken cancellationToken)
    {
        foreach (var batch in beginning)
        {
            await take(batch, cancellationToken);
        }
    }

    /// <summary>Gives it the batch, again and again until it has taken it or is detached.</summary>
    /// <param name="batch">What is to be told.</param>
    /// <param name="beginning">What comes first for one that knows nothing any more.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task DeliverAsync(
        PlatformBatch batch,
        Func<IReadOnlyList<PlatformBatch>> beginning,
        CancellationToken cancellationToken
    )
    {
        // One that fails in the middle of its beginning begins again: by then it may look as if it knew all.
        var knowsNothing = false;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _detached.Token);
        for (var failures = 1; !either.IsCancellationRequested; failures++)
        {
            try
            {
                if (knowsNothing)
                {
                    await BeginAsync(beginning(), either.Token);
                    knowsNothing = false;
                }
                await take(batch, either.Token);
                return;
            }
            catch (BaselineFirstException)
            {
                knowsNothing = true;
            }
            catch (Exception e) when (!either.IsCancellationRequested)
            {
                var wait = Retry.After(failures, chance());
                // By its words alone: it may come again and again, and the listener knows where it was thrown.
                logger.LogError(
                    "Listener {Listener} failed to take {Events} events ({Why}); they come again in {Seconds:F1} s (failure {Failures}).",
                    name,
                    batch.Events.Count,
                    e.Message,
                    wait.TotalSeconds,
                    failures
                );
                await Task.Delay(wait, clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                // Detached or stopped in the middle: nobody waits for its answer any more.
            }
        }
        cancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await _detached.CancelAsync();
        await detach(this);
    }
}
