namespace AgentlessDatadog.Store;

/// <summary>
/// The types of the names that callers' items gave, over restarts: Datadog takes a name for what it was first, and mixes the
/// two up. What the program itself names is not in it, for another version of it may mean another type. Any thread.
/// </summary>
internal sealed class ItemTypes
{
    /// <summary>Beyond this the oldest are forgotten.</summary>
    public const int MaxNames = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ItemType> _types = new(StringComparer.Ordinal);
    private readonly Queue<ItemType> _ages = [];

    /// <summary>The type of a name, or null while it may have any.</summary>
    public ItemType? Of(string name)
    {
        lock (_lock)
        {
            return _types.GetValueOrDefault(name);
        }
    }

    public void Add(ItemType type)
    {
        lock (_lock)
        {
            _types[type.Name] = type;
            _ages.Enqueue(type);
            while (_ages.Count > MaxNames)
            {
                var oldest = _ages.Dequeue();
                if (_types.GetValueOrDefault(oldest.Name) == oldest)
                {
                    _types.Remove(oldest.Name);
                }
            }
        }
    }

    /// <summary>Lets a name have another type; false when it has none.</summary>
    public bool Remove(string name)
    {
        lock (_lock)
        {
            return _types.Remove(name);
        }
    }
}
