using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>
/// Goes on while the store behind it fails or does not answer: it holds in memory, within a bound, what that one has not
/// taken, says so, and hands it over as soon as it can. What only memory holds is lost with the process, so whoever
/// needs more is refused meanwhile, and what would then come again and count twice is not to be sent before.
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

    /// <summary>Called when the store works again and has everything.</summary>
    public Action Recovered { get; set; } = () => { };

    /// <summary>Returns null when the store has it, else what holds it in memory.</summary>
    /// <exception cref="StoreUnavailableException">Nobody has it: it may not be held, or memory is full as well.</exception>
    public ValueTask<HeldWrite?> AppendAsync(Arrivals arrivals, bool mayHold) => WriteAsync(arrivals, mayHold);

    /// <summary>Returns null when the store has it, else what holds it in memory.</summary>
    /// <exception cref="StoreUnavailableException">Nobody has it: memory is full as well.</exception>
    public ValueTask<HeldWrite?> CutAsync(Cut cut) => WriteAsync(cut, mayHold: true);

    /// <summary>Returns null when the store has it, else what holds it in memory.</summary>
    public ValueTask<HeldWrite?> SettleAsync(Settlement settlement) => WriteAsync(settlement, mayHold: true);

    /// <summary>Does something once the store has what memory held: at once, if it has.</summary>
    public void Then(HeldWrite held, Action act)
    {
        lock (_lock)
        {
            if (!held.IsTaken)
            {
                held.Then.Add(act);
                return;
            }
        }
        act();
    }

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
                Take(next);
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
        _failure = null;
    }

    private async ValueTask<HeldWrite?> WriteAsync(object what, bool mayHold)
    {
        if (HoldWhileDown(what, mayHold) is { } held)
            return held;
        var letGo = _letGo.Token;
        var writing = StartAsync(what);
        try
        {
            await writing.WaitAsync(Patience, clock, letGo).ConfigureAwait(false);
            warnings.Set("store file", store.Warning, LogLevel.Error);
            return null;
        }
        catch (StoreUnavailableException error) when (mayHold)
        {
            return Hold(what, null, error.Message);
        }
        // It may yet be kept, so that it must be held in its place, whether it may or not.
        catch (Exception error) when (IsSilence(error, letGo))
        {
            return Hold(what, writing, Silent);
        }
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

    private HeldWrite? HoldWhileDown(object what, bool mayHold)
    {
        lock (_lock)
        {
            if (_failure is not { } failure)
                return null;
            if (!mayHold)
                throw new StoreUnavailableException(failure);
            return Hold(what, null, failure);
        }
    }

    private HeldWrite Hold(object what, Task? underWay, string failure)
    {
        lock (_lock)
        {
            // What a settlement takes is bounded by what waits, and it makes room. What the store is at may yet be kept.
            if (what is not Settlement && underWay is null && _held.Bytes + HeldWrite.SizeOf(what) > MaxBytes)
                throw new StoreUnavailableException($"{failure} The memory that stands in for it is full.");
            var held = _held.Add(what, underWay);
            if (_failure is null)
                _recovery = Task.Run(RecoverAsync);
            Fail(failure);
            return held;
        }
    }

    private void Fail(string failure)
    {
        _failure = failure;
        warnings.Set(
            "store",
            $"{failure} Until it works again, memory alone holds what happens, up to {MaxBytes} bytes, to be sent then; "
                + "levels are sent on, and whoever asks for something to be kept is refused."
        );
    }

    private async Task RecoverAsync()
    {
        while (!_ended.IsCancellationRequested && TakeNext() is { } next)
        {
            try
            {
                await next.UnderWay!.WaitAsync(_ended.Token).ConfigureAwait(false);
                Take(next);
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
                Take(next);
            }
        }
        Recovered();
    }

    private void Take(HeldWrite held)
    {
        lock (_lock)
        {
            _held.Remove(held);
            held.IsTaken = true;
        }
        foreach (var act in held.Then)
            act();
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
            warnings.Set("store file", store.Warning, LogLevel.Error);
            return null;
        }
    }
}
