namespace AgentlessDatadog.Store;

/// <summary>
/// Ends of requests, on their way to the store. While it fails, memory holds them, and the bodies of requests that are made
/// meanwhile. Any thread.
/// </summary>
internal sealed class Settlements(GuardedStore store)
{
    /// <summary>Bytes of memory that stand in for a store that fails.</summary>
    public const long MaxBytes = 64 * 1024 * 1024;

    private readonly Lock _lock = new();

    // Requests that the store has not, what it has not booked, and how many ends it is at.
    private readonly Dictionary<long, QueuedRequest> _requests = [];
    private Settlement _unbooked = new([], []);
    private int _underWay;

    /// <summary>How many requests and ends of requests memory alone holds.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _requests.Count + _unbooked.Requests.Count;
            }
        }
    }

    /// <summary>Whether memory alone holds a request.</summary>
    public bool Holds(long id)
    {
        lock (_lock)
        {
            return _requests.ContainsKey(id);
        }
    }

    /// <summary>The body of a request that memory alone holds; null for any other.</summary>
    public ReadOnlyMemory<byte>? BodyOf(long id)
    {
        lock (_lock)
        {
            return _requests.GetValueOrDefault(id)?.Body;
        }
    }

    /// <summary>Holds requests that the store has not yet, and what is to be booked about them.</summary>
    public void Hold(IReadOnlyList<QueuedRequest> requests, IReadOnlyList<LedgerMove> moves)
    {
        lock (_lock)
        {
            foreach (var request in requests)
            {
                _requests.Add(request.Header.Id, request);
            }

            _unbooked = _unbooked.Plus(new Settlement([], moves));
        }
    }

    /// <summary>Holds a request no more: it has ended.</summary>
    public void Release(long id)
    {
        lock (_lock)
        {
            _requests.Remove(id);
        }
    }

    /// <summary>Books an end of requests. While the store fails it is remembered, until <see cref="HandOverAsync"/>.</summary>
    public async Task AddAsync(Settlement settlement)
    {
        lock (_lock)
        {
            if (store.Error is not null)
            {
                _unbooked = _unbooked.Plus(settlement);
                return;
            }
        }
        try
        {
            await BookAsync(settlement).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // It is remembered.
        }
    }

    /// <summary>
    /// Hands over to a store that works again what memory holds for it. Returns whether the store has everything; then it
    /// counts as working.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It fails still.</exception>
    public async Task<bool> HandOverAsync()
    {
        while (true)
        {
            Settlement next;
            lock (_lock)
            {
                // Its end decides about what is next.
                if (_underWay > 0)
                {
                    return false;
                }

                next = _unbooked with { Added = [.. _requests.Values] };
                if (next is { Requests: [], Moves: [], Lost: [], Added: [] })
                {
                    store.Works();
                    return true;
                }
                _unbooked = new Settlement([], []);
            }
            await BookAsync(next).ConfigureAwait(false);
        }
    }

    private async Task BookAsync(Settlement settlement)
    {
        lock (_lock)
        {
            _underWay++;
        }

        Task? unanswered;
        try
        {
            unanswered = await store.WriteAsync(s => s.SettleAsync(settlement, default)).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            End(settlement, error);
            if (error is StoreUnavailableException)
            {
                store.Fail(error.Message);
            }

            throw;
        }
        if (unanswered is null)
        {
            End(settlement, null);
        }
        else
        {
            _ = EndAsync(settlement, unanswered);
        }
    }

    private async Task EndAsync(Settlement settlement, Task unanswered)
    {
        await unanswered.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        End(settlement, unanswered.Exception?.InnerException);
    }

    // What failed for any other reason can never be taken, and must not keep the rest out.
    private void End(Settlement settlement, Exception? error)
    {
        lock (_lock)
        {
            _underWay--;
            if (error is StoreUnavailableException)
            {
                _unbooked = settlement.Plus(_unbooked);
                return;
            }
            foreach (var request in settlement.Added)
            {
                _requests.Remove(request.Header.Id);
            }
        }
    }
}
