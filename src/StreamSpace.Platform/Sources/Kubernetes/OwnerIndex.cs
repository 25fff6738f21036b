namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Finds by their owner the uids of sessions, or of pods. Few share one.</summary>
internal sealed class OwnerIndex
{
    private readonly Dictionary<Owner, List<string>> _uids = [];

    /// <summary>The uids of <paramref name="owner"/>.</summary>
    public IReadOnlyList<string> this[Owner owner] =>
        _uids.TryGetValue(owner, out var uids) ? uids : Array.Empty<string>();

    /// <summary>Adds one that is not there.</summary>
    public void Add(Owner owner, string uid)
    {
        if (!_uids.TryGetValue(owner, out var uids))
        {
            _uids[owner] = uids = new List<string>(1);
        }
        uids.Add(uid);
    }

    /// <summary>Takes one away.</summary>
    public void Remove(Owner owner, string uid)
    {
        if (_uids.TryGetValue(owner, out var uids) && uids.Remove(uid) && uids.Count == 0)
        {
            _uids.Remove(owner);
        }
    }
}
