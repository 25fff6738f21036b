namespace AgentlessDatadog.Store;

/// <summary>What waits for one lane and destination, in order of id: live requests, and the backlog beside them.</summary>
internal sealed class WaitingRequests
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
