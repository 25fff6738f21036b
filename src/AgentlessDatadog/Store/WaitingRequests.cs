namespace AgentlessDatadog.Store;

/// <summary>What waits for one lane and destination, in order of id: live requests, and the backlog beside them.</summary>
internal sealed class WaitingRequests
{
    public SortedDictionary<long, RequestHeader> Live { get; } = [];

    public SortedDictionary<long, RequestHeader> Backlog { get; } = [];

    public int Count => Live.Count + Backlog.Count;

    public bool Holds(long id) => Live.ContainsKey(id) || Backlog.ContainsKey(id);

    /// <summary>Takes out the next: a live one, else one of the backlog, its first behind an id or of all. Null: none.</summary>
    public RequestHeader? Take(bool liveAlone, long after)
    {
        var next =
            Live.Count > 0 ? Live.First().Value
            : liveAlone || Backlog.Count == 0 ? null
            : Backlog.Values.FirstOrDefault(header => header.Id > after) ?? Backlog.First().Value;
        if (next is not null)
        {
            Remove(next.Id);
        }

        return next;
    }

    public void Remove(long id)
    {
        if (!Live.Remove(id))
        {
            Backlog.Remove(id);
        }
    }

    /// <summary>Makes backlog of all of it.</summary>
    public void Age()
    {
        foreach (var (id, header) in Live)
        {
            Backlog.Add(id, header);
        }

        Live.Clear();
    }
}
