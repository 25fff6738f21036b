using System.Net;
using Microsoft.AspNetCore.Connections;

namespace StreamSpace.PluginHost.Web;

/// <summary>
/// Accepts no more connections than it is told, and turns one away at a time: Kestrel's own bound first accepts all that
/// come, and with them takes the descriptors that it was to spare.
/// </summary>
/// <param name="most">At a time, on all addresses together.</param>
/// <param name="sockets">Accepts all.</param>
internal sealed class BoundedListener(long most, IConnectionListenerFactory sockets) : IConnectionListenerFactory
{
    private long _open;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
        new Listener(this, await sockets.BindAsync(endpoint, cancellationToken));

    private bool TryEnter(ConnectionContext connection)
    {
        if (Interlocked.Increment(ref _open) > most)
        {
            Interlocked.Decrement(ref _open);
            return false;
        }
        connection.ConnectionClosed.Register(() => Interlocked.Decrement(ref _open));
        return true;
    }

    private sealed class Listener(BoundedListener bound, IConnectionListener sockets) : IConnectionListener
    {
        public EndPoint EndPoint => sockets.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken)
        {
            while (await sockets.AcceptAsync(cancellationToken) is { } connection)
            {
                if (bound.TryEnter(connection))
                {
                    return connection;
                }
                connection.Abort();
                await connection.DisposeAsync();
            }
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken) => sockets.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => sockets.DisposeAsync();
    }
}
