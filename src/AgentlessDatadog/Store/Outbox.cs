using System.Runtime.InteropServices;
using AgentlessDatadog.Delivery;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

/// <summary>
/// Requests that wait to be sent. Of each it holds the header alone: bodies stay in the store until they go. While the store
/// fails, memory holds the bodies of requests that are made meanwhile, and what became of those that were sent. Any thread.
/// </summary>
internal sealed class Outbox(GuardedStore store, Ledger ledger, DatadogClock clock)
{
    /// <summary>Bytes of memory that stand in for a store that fails.</summary>
    public const long MaxInMemory = 64 * 1024 * 1024;

    private readonly Lock _lock = new();

    // All that is not settled, and of these what no sender has in its hands, by where it goes.
    private readonly SortedDictionary<long, RequestHeader> _all = [];
    private readonly Dictionary<(Lane Lane, string Destination), Shelf> _waiting = [];
    private readonly Dictionary<(Lane Lane, string Destination), int> _open = [];
    private long _bytes;
    private long _lastId;

    // While the store fails: requests that it has not, what it has not booked, and how many ends it is at.
    private readonly Dictionary<long, QueuedRequest> _inMemory = [];
    private Settlement _unbooked = new([], []);
    private int _underWay;

    /// <summary>Where every unit is.</summary>
    public Ledger Ledger => ledger;

    /// <summary>What expired, until it is told.</summary>
    public ExpiredReport Expired { get; } = new(clock);

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
            Age(lane);
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
                ShelfOf(header).Live.Add(header.Id, header);
            }
        }
        Changed.Raise();
    }

    /// <summary>Takes in what was made while the store fails, and books it here.</summary>
    public void AddInMemory(IReadOnlyList<QueuedRequest> requests, IReadOnlyList<LedgerMove> moves)
    {
        lock (_lock)
        {
            foreach (var request in requests)
            {
                _inMemory.Add(request.Header.Id, request);
            }

            _unbooked = _unbooked.Plus(new Settlement([], moves));
            ledger.Book(moves);
        }
        Add(requests.Select(request => request.Header));
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

                next = _unbooked with { Added = [.. _inMemory.Values] };
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

    /// <summary>How many requests and ends of requests memory alone holds.</summary>
    public int InMemory
    {
        get
        {
            lock (_lock)
            {
                return _inMemory.Count + _unbooked.Requests.Count;
            }
        }
    }

    /// <summary>
    /// Hands out a request for a lane and destination, until it is settled or given back: live ones first, then the
    /// backlog, each in the order in which they were made. Null: none waits.
    /// </summary>
    public RequestHeader? Take(Lane lane, string destination, bool liveAlone)
    {
        lock (_lock)
        {
            if (!_waiting.TryGetValue((lane, destination), out var shelf) || !MaySend(lane))
            {
                return null;
            }

            var from = shelf.Live.Count > 0 || liveAlone ? shelf.Live : shelf.Backlog;
            if (from.Count == 0)
            {
                return null;
            }

            var header = from.First().Value;
            from.Remove(header.Id);
            return header;
        }
    }

    /// <summary>Takes back what was handed out and not settled: it has had its turn, and is backlog.</summary>
    public void Release(RequestHeader header)
    {
        lock (_lock)
        {
            ShelfOf(header).Backlog.Add(header.Id, header);
        }
    }

    /// <summary>Makes backlog of all that waits for a lane: what comes after it is live.</summary>
    public void Age(Lane lane)
    {
        lock (_lock)
        {
            foreach (var (key, shelf) in _waiting)
            {
                if (key.Lane == lane)
                {
                    shelf.Age();
                }
            }
        }
    }

    public bool HasWaiting(Lane lane, string destination)
    {
        lock (_lock)
        {
            return _waiting.TryGetValue((lane, destination), out var shelf) && shelf.Count > 0 && MaySend(lane);
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

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(RequestHeader header, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_inMemory.TryGetValue(header.Id, out var request))
            {
                return request.Body;
            }
        }
        return await store.ReadAsync(header.Id, cancellationToken).ConfigureAwait(false);
    }

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
        lock (_lock)
        {
            // Until the store has them, whenever that is.
            foreach (var part in parts)
            {
                _inMemory.Add(part.Header.Id, part);
            }
        }
        await SettleAsync([header], new Settlement([], []) { Added = parts }).ConfigureAwait(false);
    }

    private async Task SettleAsync(IReadOnlyList<RequestHeader> headers, Settlement settlement)
    {
        await SettleAsync(settlement with { Requests = [.. headers.Select(header => header.Id)] })
            .ConfigureAwait(false);
        lock (_lock)
        {
            ledger.Book(settlement.Moves);
            foreach (var header in headers)
            {
                _all.Remove(header.Id);
                _inMemory.Remove(header.Id);
                _bytes -= header.Size;
                _open[(header.Lane, header.Destination)]--;
            }
            Add(settlement.Added.Select(part => part.Header));
        }
        Expired.Add(settlement.Lost);
        Changed.Raise();
    }

    private async Task SettleAsync(Settlement settlement)
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
                _inMemory.Remove(request.Header.Id);
            }
        }
    }

    /// <summary>Whether Datadog would no longer take it (docs/reference/datadog.md §3.5, §4.1).</summary>
    public bool IsTooOld(RequestHeader header) => AgeOf(header) > header.Lane.MaxAge;

    /// <summary>
    /// Whether it is so by this machine's clock alone: what an earlier process left counts as no older than this one
    /// before Datadog has told the time, for a wrong clock must not cost the whole queue.
    /// </summary>
    public bool SeemsTooOld(RequestHeader header) =>
        !clock.IsKnown && clock.GetUtcNow() - header.Oldest > header.Lane.MaxAge;

    /// <summary>Whether it is so far ahead of Datadog's clock that Datadog would drop it.</summary>
    public bool IsAhead(RequestHeader header) => clock.IsKnown && IsAhead(header, clock.GetUtcNow());

    /// <summary>Whether Datadog drops it, without a word, when it has this time of day.</summary>
    public static bool IsDropped(RequestHeader header, DateTimeOffset theirs) =>
        theirs - header.Oldest > header.Lane.MaxAge || IsAhead(header, theirs);

    /// <summary>What waits for longer than half of its age limit: when the first of it expires, and how much it is.</summary>
    public (DateTimeOffset At, long Units)? Expiring(Lane lane)
    {
        lock (_lock)
        {
            var old = _all
                .Values.Where(header => header.Lane == lane && header.Units > 0 && AgeOf(header) > lane.MaxAge / 2)
                .ToList();
            return old.Count == 0 ? null : (old.Min(ExpiryOf), old.Sum(header => header.Units));
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
                        queue.Min(ExpiryOf),
                        queue.Max(ExpiryOf)
                    )),
            ];
        }
    }

    /// <summary>When a request is given up, as things are.</summary>
    public DateTimeOffset ExpiryOf(RequestHeader header) => clock.GetUtcNow() + header.Lane.MaxAge - AgeOf(header);

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
        await GiveUpAsync(TakeWaiting(IsTooOld), TooOld).ConfigureAwait(false);
        await GiveUpAsync(TakeWaiting(IsAhead), Ahead).ConfigureAwait(false);
        await GiveUpAsync(TakeExcess(maxBytes, _ => true), "queue full").ConfigureAwait(false);
        await GiveUpAsync(TakeExcess(MaxInMemory, _inMemory.ContainsKey), "memory full").ConfigureAwait(false);
    }

    /// <summary>The reason of what expires because of its age.</summary>
    public const string TooOld = "too old for Datadog";

    /// <summary>The reason of what was stamped by a clock that was ahead.</summary>
    public const string Ahead = "ahead of Datadog's clock";

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

    private static bool IsAhead(RequestHeader header, DateTimeOffset now) => header.Oldest - now > header.Lane.MaxAhead;

    private TimeSpan AgeOf(RequestHeader header) =>
        clock.GetUtcNow() - (clock.IsKnown || header.Oldest > clock.Began ? header.Oldest : clock.Began);

    private List<RequestHeader> TakeWaiting(Func<RequestHeader, bool> which)
    {
        lock (_lock)
        {
            var taken = _all.Values.Where(header => ShelfOf(header).Holds(header.Id) && which(header)).ToList();
            foreach (var header in taken)
            {
                ShelfOf(header).Remove(header.Id);
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

    private Shelf ShelfOf(RequestHeader header)
    {
        var key = (header.Lane, header.Destination);
        if (!_waiting.TryGetValue(key, out var shelf))
        {
            _waiting.Add(key, shelf = new Shelf());
        }

        return shelf;
    }

    private sealed class Shelf
    {
        public SortedDictionary<long, RequestHeader> Live { get; } = [];

        public SortedDictionary<long, RequestHeader> Backlog { get; } = [];

        public int Count => Live.Count + Backlog.Count;

        public bool Holds(long id) => Live.ContainsKey(id) || Backlog.ContainsKey(id);

        public void Remove(long id)
        {
            if (!Live.Remove(id))
            {
                Backlog.Remove(id);
            }
        }

        public void Age()
        {
            foreach (var (id, header) in Live)
            {
                Backlog.Add(id, header);
            }

            Live.Clear();
        }
    }
}
