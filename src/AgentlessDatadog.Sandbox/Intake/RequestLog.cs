namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>The last requests and, when they are kept, the last payloads; both bounded, oldest out first.</summary>
internal sealed class RequestLog(int maxRequests, long maxPayloadBytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<RequestTrace> _requests = [];
    private readonly Queue<RequestTrace> _payloads = [];
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

    public void Add(RequestTrace trace)
    {
        lock (_lock)
        {
            _total++;
            _requests.Enqueue(trace);
            if (_requests.Count > maxRequests)
            {
                _requests.Dequeue();
            }
            if (trace.Payload is { } payload)
            {
                _payloads.Enqueue(trace);
                _payloadBytes += payload.Length;
                while (_payloadBytes > maxPayloadBytes)
                {
                    _payloadBytes -= _payloads.Dequeue().Payload!.Length;
                }
            }
        }
    }

    /// <summary>Oldest first.</summary>
    public RequestTrace[] Requests(PathPattern path) => Matching(_requests, path);

    /// <summary>Oldest first; each has a payload.</summary>
    public RequestTrace[] Payloads(PathPattern path) => Matching(_payloads, path);

    private RequestTrace[] Matching(Queue<RequestTrace> traces, PathPattern path)
    {
        lock (_lock)
        {
            return [.. traces.Where(trace => path.Matches(trace.Path))];
        }
    }
}
