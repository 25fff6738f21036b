namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>The last requests and, when they are kept, the last payloads; both bounded, oldest out first.</summary>
internal sealed class RequestHistory(int maxRequests, long maxPayloadBytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<RequestRecord> _requests = [];
    private readonly Queue<RequestRecord> _payloads = [];
    private long _payloadBytes;
    private long _total;

    public long Total
    {
        get
        {
            lock (_lock)
            {
                return _total;
            }
        }
    }

    public void Add(RequestRecord record)
    {
        lock (_lock)
        {
            _total++;
            _requests.Enqueue(record);
            if (_requests.Count > maxRequests)
            {
                _requests.Dequeue();
            }
            if (record.Payload is { } payload)
            {
                _payloads.Enqueue(record);
                _payloadBytes += payload.Length;
                while (_payloadBytes > maxPayloadBytes)
                {
                    _payloadBytes -= _payloads.Dequeue().Payload!.Length;
                }
            }
        }
    }

    /// <summary>Oldest first.</summary>
    public RequestRecord[] Requests(PathPattern path) => Matching(_requests, path);

    /// <summary>Oldest first; each has a payload.</summary>
    public RequestRecord[] Payloads(PathPattern path) => Matching(_payloads, path);

    private RequestRecord[] Matching(Queue<RequestRecord> records, PathPattern path)
    {
        lock (_lock)
        {
            return [.. records.Where(record => path.Matches(record.Path))];
        }
    }
}
