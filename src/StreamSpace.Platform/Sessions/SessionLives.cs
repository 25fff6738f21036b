using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>The lives that the registry holds: by session id, by what falls due, and what of them is not yet durable.</summary>
internal sealed class SessionLives
{
    private const int RememberedClosed = 200_000;

    private readonly Dictionary<string, Life> _byId = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _due = new();
    private readonly Queue<(string Id, DateTimeOffset Due)> _closed = new();
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private readonly int[] _counts = new int[(int)SessionState.Ended + 1];

    /// <summary>begins with what is durable.</summary>
    public SessionLives(IEnumerable<Life> durable)
    {
        foreach (var life in durable.OrderBy(l => l.Due))
        {
            Put(life);
        }
        _touched.Clear();
    }

    /// <summary>The lives that are open.</summary>
    public IEnumerable<Life> Open => _byId.Values.Where(l => !l.Closed);

    /// <summary>How many there are of each state that a session can be in before its end.</summary>
    public IReadOnlyDictionary<SessionState, int> Counts =>
        Enum.GetValues<SessionState>()
            .Where(s => s is not SessionState.Ended && _counts[(int)s] > 0)
            .ToDictionary(s => s, s => _counts[(int)s]);

    /// <summary>What changed since <see cref="MarkDurable"/> was called last, and the ids of what was forgotten.</summary>
    public (IReadOnlyList<Life> Put, IReadOnlyList<string> Forgotten) Changes =>
        (
            [.. _touched.Where(_byId.ContainsKey).Select(id => _byId[id])],
            [.. _touched.Where(id => !_byId.ContainsKey(id))]
        );

    /// <summary>Says that <see cref="Changes"/> are durable.</summary>
    public void MarkDurable() => _touched.Clear();

    /// <summary>The life of a session id, or null.</summary>
    public Life? Find(string sessionId) => _byId.GetValueOrDefault(sessionId);

    /// <summary>Puts <paramref name="life"/> in the place of the one that had its session id.</summary>
    public void Put(Life life)
    {
        var id = life.Session.Id;
        var before = Find(id);
        if (before is not null)
        {
            _counts[(int)before.Session.State]--;
        }
        _counts[(int)life.Session.State]++;
        _byId[id] = life;
        _touched.Add(id);
        if (life.Due is not { } due || due == before?.Due)
        {
            return;
        }
        if (!life.Closed)
        {
            _due.Enqueue(id, due);
            return;
        }
        _closed.Enqueue((id, due));
        if (_closed.Count > RememberedClosed)
        {
            RemoveIfClosed(_closed.Dequeue().Id);
        }
    }

    /// <summary>Takes out one open life that is due, or returns null.</summary>
    public Life? NextDue(DateTimeOffset now)
    {
        while (_due.TryPeek(out var id, out var due) && due <= now)
        {
            _due.Dequeue();
            if (Find(id) is { Closed: false } life && life.Due == due)
            {
                return life;
            }
        }
        return null;
    }

    /// <summary>Removes the closed lives that have been remembered long enough.</summary>
    public void Trim(DateTimeOffset now)
    {
        while (_closed.TryPeek(out var oldest) && oldest.Due <= now)
        {
            _closed.Dequeue();
            if (Find(oldest.Id)?.Due == oldest.Due)
            {
                RemoveIfClosed(oldest.Id);
            }
        }
    }

    private void RemoveIfClosed(string id)
    {
        if (Find(id) is { Closed: true } life)
        {
            _counts[(int)life.Session.State]--;
            _byId.Remove(id);
            _touched.Add(id);
        }
    }
}
