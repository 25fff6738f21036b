namespace StreamSpace.Platform;

/// <summary>Remembers the last ids that it was given, up to a bound.</summary>
internal sealed class RecentIds(int capacity)
{
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly Queue<string> _oldestFirst = new();

    /// <summary>True when <paramref name="id"/> is new; the oldest one then makes room.</summary>
    public bool Add(string id)
    {
        if (!_ids.Add(id))
        {
            return false;
        }
        _oldestFirst.Enqueue(id);
        if (_oldestFirst.Count > capacity)
        {
            _ids.Remove(_oldestFirst.Dequeue());
        }
        return true;
    }
}
