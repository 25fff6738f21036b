using System.Net;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// A body that knows whether all of it was handed to a connection. Before that a failure means that it did not arrive: no
/// connection, no TLS, or a body shorter than its Content-Length, which no server may act on (RFC 9112 §8). After it
/// nobody can tell without an answer. SocketsHttpHandler itself sends a request again only when it has not begun to
/// write the body.
/// </summary>
internal sealed class BodyContent(ReadOnlyMemory<byte> body) : HttpContent
{
    private volatile bool _isHandedOver;

    public bool IsHandedOver => _isHandedOver;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        _isHandedOver = true;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }
}
