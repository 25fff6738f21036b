using System.Net;

namespace AgentlessDatadog;

/// <summary>
/// A body that knows whether any of it was handed to a connection. Before that a failure means that nothing arrived;
/// after it nobody can tell.
/// </summary>
internal sealed class BodyContent(ReadOnlyMemory<byte> body) : HttpContent
{
    private volatile bool _isUnderWay;

    public bool IsUnderWay => _isUnderWay;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        _isUnderWay = true;
        await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }
}
