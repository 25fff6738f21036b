namespace AgentlessDatadog.Sandbox.Store;

/// <summary>What an <see cref="ArrivalStore{T}"/> holds.</summary>
internal interface IStored
{
    /// <summary>Its place among all that came, from 1; the store sets it.</summary>
    long Sequence { get; set; }

    /// <summary>About how many bytes of memory it takes.</summary>
    long Bytes { get; }
}

/// <summary>
/// Things in the order in which they came, held for as long as the sandbox remembers and within two bounds; over them the
/// oldest arrival goes first. A thing that is sent twice is held twice.
/// </summary>
internal sealed class ArrivalStore<T>(int maxItems, long maxBytes, TimeSpan retention, TimeProvider time)
    where T : class, IStored
{
    private readonly Lock _lock = new();

    // By arrival, since what comes may be 18 h old and is worth seeing all the same.
    private readonly Queue<(T Item, DateTimeOffset Arrived)> _items = [];
    private long _lastSequence;
    private long _evicted;
    private long _bytes;

    /// <summary>Held now, and gone before their time because memory is bounded.</summary>
    public (int Held, long Evicted) Count()
    {
        lock (_lock)
        {
            Expire();
            return (_items.Count, _evicted);
        }
    }

    /// <summary>Keeps them, in this order.</summary>
    public void Add(params ReadOnlySpan<T> items)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            Expire();
            foreach (var item in items)
            {
                item.Sequence = ++_lastSequence;
                _items.Enqueue((item, now));
                _bytes += item.Bytes;
                while (_items.Count > maxItems || _bytes > maxBytes)
                {
                    RemoveOldest();
                    _evicted++;
                }
            }
        }
    }

    /// <summary>All that is held now, newest arrival first.</summary>
    public T[] Newest()
    {
        lock (_lock)
        {
            Expire();
            var items = new T[_items.Count];
            var at = items.Length;
            foreach (var (item, _) in _items)
            {
                items[--at] = item;
            }
            return items;
        }
    }

    private void Expire()
    {
        var oldest = time.GetUtcNow() - retention;
        while (_items.TryPeek(out var first) && first.Arrived < oldest)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest() => _bytes -= _items.Dequeue().Item.Bytes;
}
