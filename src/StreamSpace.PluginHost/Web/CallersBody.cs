using ZstdSharp;

namespace StreamSpace.PluginHost.Web;

/// <summary>
/// A body as handlers read it. A read ends with the connection, not with a token: one that is given up halfway leaves the
/// server in the middle of it, which it tells in the log with a stack trace.
/// </summary>
/// <param name="body">The server's, or one that unpacks such a body.</param>
/// <param name="place">Takes up what is read; null for a body that has said how long it is, and has its room.</param>
/// <param name="most">The most bytes that may be read, where the server does not see to that.</param>
internal sealed class CallersBody(Stream body, BodyRoom.Place? place, long most = long.MaxValue) : Stream
{
    private long _read;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="BadHttpRequestException">
    /// There is no room for more (503), it is too large (413), or not packed as it says (400).
    /// </exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int read;
        try
        {
            read = await body.ReadAsync(buffer, CancellationToken.None);
        }
        // What is not Brotli is an operation that is not valid to .NET.
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or ZstdException)
        {
            throw new BadHttpRequestException("It cannot be unpacked.", StatusCodes.Status400BadRequest, e);
        }
        _read += read;
        if (_read > most)
        {
            throw new BadHttpRequestException("It is too large.", StatusCodes.Status413PayloadTooLarge);
        }
        return place is null || place.TryGrow(read)
            ? read
            : throw new BadHttpRequestException(RequestLimits.NoRoom, StatusCodes.Status503ServiceUnavailable);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // The server itself reads no body synchronously.
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
