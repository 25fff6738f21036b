using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>
/// Goes on while the store behind it fails or does not answer: it holds in memory, within a bound, what that one has not
/// taken, says so, and hands it over as soon as it can. What only memory holds is lost with the process, so whoever
/// needs more is refused meanwhile.
/// </summary>
internal sealed class EnduringStore(ITelemetryStore store, TimeProvider clock, Warnings warnings, ILogger logger)
    : IAsyncDisposable
{
    /// <summary>Bytes of memory that stand in for the store.</summary>
    public const long MaxBytes = 64 * 1024 * 1024;

    private const string Silent = "The store does not answer.";
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);

    // Whoever waits for us must not take us for stuck.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly HeldWrites _held = new();
    private readonly CancellationTokenSource _ended = new();
    private CancellationTokenSource _letGo = new();
    private Task _recovery = Task.CompletedTask;
    private volatile string? _failure;

    /// <summary>Why the store keeps nothing now, or null while it does.</summary>
    public string? CannotKeep => _failure;

    public ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken) =>
        store.OpenAsync(cancellationToken);

    /// <summary>Returns whether the store has it; if not, memory holds it.</summary>
    /// <exception cref="StoreUnavailableException">Nobody has it: it may not be held, or memory is full as well.</exception>
    public ValueTask<bool> AppendAsync(Arrivals arrivals, bool mayHold) => WriteAsync(arrivals, mayHold);

    /// <summary>Returns whether the store has it; if not, memory holds it.</summary>
    /// <exception cref="StoreUnavailableException">Nobody has it: memory is full as well.</exception>
    public ValueTask<bool> CutAsync(Cut cut) => WriteAsync(cut, mayHold: true);

    /// <summary>Returns whether the store has it; if not, memory holds it.</summary>
    public ValueTask<bool> SettleAsync(Settlement settlement) => WriteAsync(settlement, mayHold: true);

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long payload, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_held.Body(payload) is { } body)
                return body;
        }
        var letGo = _letGo.Token;
        try
        {
            var reading = store.ReadAsync(payload, cancellationToken).AsTask();
            return await reading.WaitAsync(Patience, clock, letGo).ConfigureAwait(false);
        }
        catch (Exception error) when (IsSilence(error, letGo))
        {
            throw new StoreUnavailableException(Silent);
        }
    }

    /// <summary>Waits no longer for what the store was asked: that stays first in order, whenever it ends.</summary>
    public void LetGo() => Interlocked.Exchange(ref _letGo, new CancellationTokenSource()).Cancel();

    /// <summary>Tries for the last time to hand over what only memory keeps. The store behind is its owner's to dispose.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _recovery.ConfigureAwait(false);
        while (_held.Next is { } next)
        {
            try
            {
                await (next.UnderWay ?? StartAsync(next.What)).WaitAsync(Again, clock).ConfigureAwait(false);
                _held.Remove(next);
            }
            catch (Exception error)
            {
                logger.LogError(
                    error,
                    "The store failed until the end: {Bytes} bytes that only memory kept are lost",
                    _held.Bytes
                );
                return;
            }
        }
    }

    private async ValueTask<bool> WriteAsync(object what, bool mayHold)
    {
        if (HoldWhileDown(what, mayHold))
            return false;
        var letGo = _letGo.Token;
        var writing = StartAsync(what);
        try
        {
            await writing.WaitAsync(Patience, clock, letGo).ConfigureAwait(false);
            return true;
        }
        catch (StoreUnavailableException error) when (mayHold)
        {
            Hold(what, null, error.Message);
        }
        // It may yet be kept, so that it must be held in its place, whether it may or not.
        catch (Exception error) when (IsSilence(error, letGo))
        {
            Hold(what, writing, Silent);
        }
        return false;
    }

    private static bool IsSilence(Exception error, CancellationToken letGo) =>
        error is TimeoutException || (error is OperationCanceledException && letGo.IsCancellationRequested);

    private Task StartAsync(object what) =>
        what switch
        {
            Arrivals arrivals => store.AppendAsync(arrivals, CancellationToken.None).AsTask(),
            Cut cut => store.CutAsync(cut, CancellationToken.None).AsTask(),
            _ => store.SettleAsync((Settlement)what, CancellationToken.None).AsTask(),
        };

    private bool HoldWhileDown(object what, bool mayHold)
    {
        lock (_lock)
        {
            if (_failure is not { } failure)
                return false;
            if (!mayHold)
                throw new StoreUnavailableException(failure);
            Hold(what, null, failure);
            return true;
        }
    }

    private void Hold(object what, Task? underWay, string failure)
    {
        lock (_lock)
        {
            // What a settlement takes is bounded by what waits, and it makes room. What the store is at may yet be kept.
            if (what is not Settlement && underWay is null && _held.Bytes + HeldWrites.SizeOf(what) > MaxBytes)
                throw new StoreUnavailableException($"{failure} The memory that stands in for it is full.");
            _held.Add(what, underWay);
            if (_failure is null)
                _recovery = Task.Run(RecoverAsync);
            Fail(failure);
        }
    }

    private void Fail(string failure)
    {
        _failure = failure;
        warnings.Set(
            "store",
            $"{failure} Until it works again, memory alone holds what comes in, up to {MaxBytes} bytes, and whoever asks "
                + "for it to be kept is refused."
        );
    }

    private async Task RecoverAsync()
    {
        while (!_ended.IsCancellationRequested && TakeNext() is { } next)
        {
            try
            {
                await next.UnderWay!.WaitAsync(_ended.Token).ConfigureAwait(false);
                lock (_lock)
                    _held.Remove(next);
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
            }
            catch (StoreUnavailableException error)
            {
                lock (_lock)
                {
                    next.UnderWay = null;
                    Fail(error.Message);
                }
                var wait = Task.Delay(Again, clock, _ended.Token);
                await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            // It can never be taken, and must not keep the rest out.
            catch (Exception error)
            {
                logger.LogError(error, "The store refused what memory had kept for it");
                lock (_lock)
                    _held.Remove(next);
            }
        }
    }

    private HeldWrite? TakeNext()
    {
        lock (_lock)
        {
            if (_held.Next is { } next)
            {
                var what = next.What;
                next.UnderWay ??= Task.Run(() => StartAsync(what));
                return next;
            }
            _failure = null;
            warnings.Set("store", null);
            return null;
        }
    }
}
