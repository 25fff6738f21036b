namespace AgentlessDatadog.Delivery;

/// <summary>
/// What requests go through: one client for each proxy, and one for none. They are kept until the end, for a request that is
/// under way keeps its own. Any thread.
/// </summary>
internal sealed class Connections(Func<Uri?, HttpMessageHandler> handler) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<(Uri? Proxy, HttpClient Client)> _clients = [];

    public HttpClient Through(Uri? proxy)
    {
        lock (_lock)
        {
            // Another password makes another way, but no other Uri.
            var client = _clients.Find(known => known.Proxy?.OriginalString == proxy?.OriginalString).Client;
            if (client is null)
            {
                client = new HttpClient(handler(proxy)) { Timeout = Timeout.InfiniteTimeSpan };
                _clients.Add((proxy, client));
            }

            return client;
        }
    }

    public void Dispose() => _clients.ForEach(known => known.Client.Dispose());
}
