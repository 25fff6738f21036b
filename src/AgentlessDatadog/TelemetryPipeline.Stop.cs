using AgentlessDatadog.Store;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <content>How it ends.</content>
public sealed partial class TelemetryPipeline
{
    // How long an end waits for a flush, and for what is still under way.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(3);

    private bool _isDisposed;

    /// <summary>
    /// Takes nothing more, flushes, and sends until everything is sent that can be, or the token fires: that is no error,
    /// what is left stays in the store. A last flush carries what the pipeline has counted about itself until then.
    /// </summary>
    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (_timer is null || _stop.IsCancellationRequested)
            return;
        await _timer.DisposeAsync().ConfigureAwait(false);
        try
        {
            _loop.Close();
            foreach (var isLast in new[] { false, true })
            {
                await FlushLastAsync(isLast).ConfigureAwait(false);
                await ShipRestAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
            _logger.LogInformation("Telemetry pipeline stopped: {Ledger}", LedgerLine());
        }
    }

    /// <summary>Ends at once, without a flush. What is kept stays in the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
            await _timer.DisposeAsync().ConfigureAwait(false);
        if (_isDisposed)
            return;
        _isDisposed = true;
        await EndAsync().ConfigureAwait(false);
        _clients.ForEach(client => client.Dispose());
        _stop.Dispose();
    }

    // A store, or an observation, that hangs must not keep the last flush from being made.
    private async Task FlushLastAsync(bool isLast)
    {
        using var made = new CancellationTokenSource();
        var patience = Task.Delay(EndTimeout, _clock, made.Token);
        var flush = isLast ? _loop.FlushAsync(isLast: true) : _loop.FlushEarlyAsync();
        await Task.WhenAny(flush, patience).ConfigureAwait(false);
        await made.CancelAsync().ConfigureAwait(false);
        if (!flush.IsCompleted)
        {
            _loop.LeaveObservation();
            _store.LetGo();
        }
        try
        {
            await flush.WaitAsync(EndTimeout, _clock, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // What counts is in the journal, for the next process.
        }
    }

    private async Task ShipRestAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var changed = _outbox.Changed.Next;
            if (_lanes.All(lane => lane.IsIdle))
                return;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // What does not come back is left behind, so that the process can end.
    private async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _loop.Abandon();
        using var ended = new CancellationTokenSource();
        await Task.WhenAny(_running, Task.Delay(EndTimeout, _clock, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await HandOverAsync().ConfigureAwait(false);
    }

    // For the last time: what only memory holds is lost with it.
    private async Task HandOverAsync()
    {
        var handingOver = _loop.RecoverAsync();
        await Task.WhenAny(handingOver, Task.Delay(EndTimeout, _clock)).ConfigureAwait(false);
        if (_store.Error is { } error)
        {
            _logger.LogError(
                "{Error} {Requests} requests and their answers that only memory kept are lost",
                error,
                _outbox.InMemory
            );
        }
    }

    private string LedgerLine() =>
        string.Join("; ", _lanes.Select(lane => $"{lane.Lane} {Sum(_ledger.Of(lane.Lane))}"));

    private static string Sum(LaneLedger of) =>
        $"accepted {of.Accepted} = delivered {of.Delivered} + queued {of.Queued} + overflowed {of.Overflowed} + expired "
        + $"{of.Expired} + rejected {of.Rejected} + uncertain {of.Uncertain}";
}
