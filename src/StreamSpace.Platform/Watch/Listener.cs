using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>One that is told every batch, until it is disposed.</summary>
internal sealed class Listener(
    string name,
    Func<PlatformBatch, CancellationToken, ValueTask> take,
    Func<bool> holdsUnkept,
    Func<Listener, ValueTask> detach,
    TimeProvider clock,
    Func<double> chance,
    ILogger logger
) : IAsyncDisposable
{
    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private readonly CancellationTokenSource _detached = new();

    /// <summary>True while something that it has taken is in memory alone.</summary>
    public bool HoldsUnkept => holdsUnkept();

    /// <summary>Gives it a baseline, once: a failure is the caller's.</summary>
    public ValueTask BeginAsync(PlatformBatch baseline, CancellationToken cancellationToken) =>
        take(baseline, cancellationToken);

    /// <summary>Gives it the batch, again and again until it has taken it or is detached.</summary>
    public async Task DeliverAsync(
        PlatformBatch batch,
        Func<PlatformBatch> baseline,
        CancellationToken cancellationToken
    )
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _detached.Token);
        for (var failures = 1; !either.IsCancellationRequested; failures++)
        {
            try
            {
                try
                {
                    await take(batch, either.Token);
                }
                catch (BaselineFirstException)
                {
                    await take(baseline(), either.Token);
                    await take(batch, either.Token);
                }
                return;
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
