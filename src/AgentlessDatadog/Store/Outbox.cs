using System.Runtime.InteropServices;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

/// <summary>
/// Requests that wait to be sent. Of each it holds the header alone: bodies stay in the store until they go, or in
/// <see cref="Settlements"/> while the store fails. Any thread.
/// </summary>
internal sealed class Outbox(GuardedStore store, Ledger ledger, DatadogClock clock)
{
    private readonly Lock _lock = new();

    // All that is not settled, and of these what no sender has in its hands, by where it goes.
    private readonly SortedDictionary<long, RequestHeader> _all = [];
    private readonly Dictionary<(Lane Lane, string Destination), WaitingRequests> _waiting = [];
    private readonly Dictionary<(Lane Lane, string Destination), int> _open = [];
    private long _bytes;
    private long _lastId;

    /// <summary>Where every unit is.</summary>
    public Ledger Ledger => ledger;

    /// <summary>What expired, until it is told.</summary>
    public ExpiredReport Expired { get; } = new(clock);

    /// <summary>What of it memory alone holds while the store fails.</summary>
    public Settlements Settlements { get; } = new(store);

    /// <summary>How old each is for Datadog.</summary>
    public RequestAge Age { get; } = new(clock);

    /// <summary>Raised when requests come in or are settled.</summary>
    public ChangeSource Changed { get; } = new();

    public QueueStatus Status
    {
        get
        {
            lock (_lock)
            {
                return new(_all.Count, _bytes, _all.Count == 0 ? null : _all.Values.Min(header => header.Oldest));
            }
        }
    }

    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>An id for a request that is made; they ascend.</summary>
    public long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>Takes in what an earlier process left: the backlog of this one.</summary>
    /// <param name="headers">What it left.</param>
    /// <param name="lastId">The last id that it gave.</param>
    public void AddBacklog(IReadOnlyList<RequestHeader> headers, long lastId)
    {
        _lastId = lastId;
        Add(headers);
        foreach (var lane in Lane.All)
        {
            MakeBacklog(lane);
        }
    }

    /// <summary>Takes in what the store has committed; it is live.</summary>
    public void Add(IEnumerable<RequestHeader> headers)
    {
        lock (_lock)
        {
            foreach (var header in headers)
            {
                _all.Add(header.Id, header);
                _bytes += header.Size;
                CollectionsMarshal.GetValueRefOrAddDefault(_open, (header.Lane, header.Destination), out _)++;
                WaitingOf(header).Live.Add(header.Id, header);
            }
        }
        Changed.Raise();
    }

    /// <summary>Takes in what was made while the store fails, and books it here.</summary>
    public void AddInMemory(IReadOnlyList<QueuedRequest> requests, IReadOnlyList<LedgerMove> moves)
    {
        Settlements.Hold(requests, moves);
        ledger.Book(moves);
        Add(requests.Select(request => request.Header));
    }

    /// <summary>
    /// Hands out a request for a lane and destination, until it is settled or given back: live ones first, then the
    /// backlog, each in the order in which they were made. Null: none waits.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="destination">The far end.</param>
    /// <param name="liveAlone">Whether nothing of the backlog is asked for.</param>
    /// <param name="after">An id: the backlog begins behind it, and with its first where nothing is behind.</param>
    public RequestHeader? Take(Lane lane, string destination, bool liveAlone, long after = 0)
    {
        lock (_lock)
        {
            return MaySend(lane) ? _waiting.GetValueOrDefault((lane, destination))?.Take(liveAlone, after) : null;
        }
    }

    /// <summary>Takes back what was handed out and not settled: it has had its turn, and is backlog.</summary>
    public void Release(RequestHeader header)
    {
        lock (_lock)
        {
            WaitingOf(header).Backlog.Add(header.Id, header);
        }
    }

    /// <summary>Makes backlog of all that waits for a lane: what comes after it is live.</summary>
    public void MakeBacklog(Lane lane)
    {
        lock (_lock)
        {
            foreach (var (key, waiting) in _waiting)
            {
                if (key.Lane == lane)
                {
                    waiting.Age();
                }
            }
        }
    }

    public bool HasWaiting(Lane lane, string destination)
    {
        lock (_lock)
        {
            return _waiting.TryGetValue((lane, destination), out var waiting) && waiting.Count > 0 && MaySend(lane);
        }
    }

    /// <summary>
    /// Whether it can be kept that something was sent. What overwrites itself when it is sent twice may be sent all the same.
    /// </summary>
    public bool MaySend(Lane lane) => !lane.RepeatHarms || store.Error is null;

    public bool IsEmpty(Lane lane, string destination)
    {
        lock (_lock)
        {
            return _open.GetValueOrDefault((lane, destination)) == 0;
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(RequestHeader header, CancellationToken cancellationToken) =>
        Settlements.BodyOf(header.Id) ?? await store.ReadAsync(header.Id, cancellationToken).ConfigureAwait(false);

    /// <summary>The far end takes what a lane sends; then what another lane has lost can be told if it has nothing to send.</summary>
    public void Back(Lane lane, string destination)
    {
        foreach (var other in Lane.All)
        {
            if (other == lane || IsEmpty(other, destination))
            {
                Expired.Back(other, destination);
            }
        }
    }

    /// <summary>Ends requests that were handed out. While the store fails, it learns it as soon as it works.</summary>
    public async ValueTask SettleAsync(IReadOnlyList<RequestHeader> headers, Account to, string? reason)
    {
        if (headers.Count == 0)
        {
            return;
        }

        var moves = headers
            .Select(header => new LedgerMove(header.Lane, to, header.Units, ledger.Name(header.Lane, reason)))
            .ToList();
        // What has happened has happened: no token may keep it from being written down.
        var lost = to == Account.Expired ? ExpiredReport.Of(headers, reason!) : [];
        await SettleAsync(headers, new Settlement([], moves) { Lost = lost }).ConfigureAwait(false);
    }

    /// <summary>Ends a request that was delivered but for some of its units, which were rejected.</summary>
    public async ValueTask SettlePartlyAsync(RequestHeader header, long rejected, string? reason)
    {
        LedgerMove[] moves =
        [
            new(header.Lane, Account.Delivered, header.Units - rejected),
            new(header.Lane, Account.Rejected, rejected, ledger.Name(header.Lane, reason)),
        ];
        await SettleAsync([header], new Settlement([], [.. moves.Where(move => move.Units > 0)])).ConfigureAwait(false);
    }

    /// <summary>Puts requests in the place of one that was handed out; they hold the same units.</summary>
    public async ValueTask ReplaceAsync(RequestHeader header, IReadOnlyList<QueuedRequest> parts)
    {
        // Until the store has them, whenever that is.
        Settlements.Hold(parts, []);
        await SettleAsync([header], new Settlement([], []) { Added = parts }).ConfigureAwait(false);
    }

    private async Task SettleAsync(IReadOnlyList<RequestHeader> headers, Settlement settlement)
    {
        await Settlements
            .AddAsync(settlement with { Requests = [.. headers.Select(header => header.Id)] })
            .ConfigureAwait(false);
        lock (_lock)
        {
            ledger.Book(settlement.Moves);
            foreach (var header in headers)
            {
                _all.Remove(header.Id);
                Settlements.Release(header.Id);
                _bytes -= header.Size;
                _open[(header.Lane, header.Destination)]--;
            }
            Add(settlement.Added.Select(part => part.Header));
        }
        Expired.Add(settlement.Lost);
        Changed.Raise();
    }

    /// <summary>What waits for longer than half of its age limit: when the first of it expires, and how much it is.</summary>
    public (DateTimeOffset At, long Units)? Expiring(Lane lane)
    {
        lock (_lock)
        {
            var old = _all
                .Values.Where(header => header.Lane == lane && header.Units > 0 && Age.Of(header) > lane.MaxAge / 2)
                .ToList();
            return old.Count == 0 ? null : (old.Min(Age.ExpiryOf), old.Sum(header => header.Units));
        }
    }

    /// <summary>What waits for other destinations than this one.</summary>
    public IReadOnlyList<QueueElsewhere> Elsewhere(string destination)
    {
        lock (_lock)
        {
            return
            [
                .. _all
                    .Values.Where(header => header.Destination != destination)
                    .GroupBy(header => header.Destination, StringComparer.Ordinal)
                    .OrderBy(queue => queue.Key, StringComparer.Ordinal)
                    .Select(queue => new QueueElsewhere(
                        queue.Key,
                        queue.Count(),
                        queue.Min(Age.ExpiryOf),
                        queue.Max(Age.ExpiryOf)
                    )),
            ];
        }
    }

    /// <summary>Whether a request is neither delivered nor given up.</summary>
    public bool Holds(long id)
    {
        lock (_lock)
        {
            return _all.ContainsKey(id);
        }
    }

    /// <summary>Gives up what waits and is too old, then the oldest until the rest fits into the room, and into memory.</summary>
    public async ValueTask ExpireAsync(long maxBytes)
    {
        await GiveUpAsync(TakeWaiting(Age.IsTooOld), RequestAge.TooOld).ConfigureAwait(false);
        await GiveUpAsync(TakeWaiting(Age.IsAhead), RequestAge.Ahead).ConfigureAwait(false);
        await GiveUpAsync(TakeExcess(maxBytes, _ => true), "queue full").ConfigureAwait(false);
        await GiveUpAsync(TakeExcess(Settlements.MaxBytes, Settlements.Holds), "memory full").ConfigureAwait(false);
    }

    private async ValueTask GiveUpAsync(List<RequestHeader> headers, string reason)
    {
        try
        {
            await SettleAsync(headers, Account.Expired, reason).ConfigureAwait(false);
        }
        // What the store did not release still waits.
        catch
        {
            headers.ForEach(Release);
            throw;
        }
    }

    private List<RequestHeader> TakeWaiting(Func<RequestHeader, bool> which)
    {
        lock (_lock)
        {
            var taken = _all.Values.Where(header => WaitingOf(header).Holds(header.Id) && which(header)).ToList();
            foreach (var header in taken)
            {
                WaitingOf(header).Remove(header.Id);
            }

            return taken;
        }
    }

    private List<RequestHeader> TakeExcess(long maxBytes, Func<long, bool> which)
    {
        lock (_lock)
        {
            var excess = _all.Values.Where(header => which(header.Id)).Sum(header => (long)header.Size) - maxBytes;
            return TakeWaiting(header =>
            {
                if (excess <= 0 || !which(header.Id))
                {
                    return false;
                }

                excess -= header.Size;
                return true;
            });
        }
    }

    private WaitingRequests WaitingOf(RequestHeader header)
    {
        var key = (header.Lane, header.Destination);
        if (!_waiting.TryGetValue(key, out var waiting))
        {
            _waiting.Add(key, waiting = new WaitingRequests());
        }

        return waiting;
    }
}
