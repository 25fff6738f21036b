namespace AgentlessDatadog.Sandbox.Store;

/// <summary>Events in the order in which they came; an event sent twice is held twice (docs/reference/datadog.md §4.1).</summary>
internal sealed class EventStore(StoreLimits limits, TimeSpan retention, TimeProvider time)
{
    private const long FirstId = 7_000_000_000_000_000_000;

    private readonly Lock _lock = new();

    // By arrival, since an event may be 18 h old when it comes and is worth seeing all the same.
    private readonly Queue<(StoredEvent Event, DateTimeOffset Arrived)> _events = [];
    private long _nextId = FirstId;
    private long _evicted;
    private long _characters;

    /// <summary>Held now, and gone before their time because memory is bounded.</summary>
    public (int Held, long Evicted) Count()
    {
        lock (_lock)
        {
            Expire();
            return (_events.Count, _evicted);
        }
    }

    /// <summary>Gives the event its id and keeps it.</summary>
    public StoredEvent Add(StoredEvent incoming)
    {
        lock (_lock)
        {
            Expire();
            var stored = incoming with { Id = _nextId++ };
            _events.Enqueue((stored, time.GetUtcNow()));
            _characters += stored.Characters;
            while (_events.Count > limits.Events || _characters > limits.EventCharacters)
            {
                RemoveOldest();
                _evicted++;
            }
            return stored;
        }
    }

    public StoredEvent? Find(long id) => List(held => held.Id == id, 1).FirstOrDefault();

    /// <summary>Those that fulfil a condition, newest arrival first.</summary>
    public List<StoredEvent> List(Func<StoredEvent, bool> condition, int max)
    {
        lock (_lock)
        {
            Expire();
            return [.. _events.Reverse().Select(held => held.Event).Where(condition).Take(max)];
        }
    }

    private void Expire()
    {
        var oldest = time.GetUtcNow() - retention;
        while (_events.TryPeek(out var first) && first.Arrived < oldest)
        {
            RemoveOldest();
        }
    }

    private void RemoveOldest() => _characters -= _events.Dequeue().Event.Characters;
}
