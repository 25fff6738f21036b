using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Numerics;
using Microsoft.Net.Http.Headers;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>One request's body in a buffer that goes back to the pool: as it came, then unpacked.</summary>
internal sealed class IncomingBody : IDisposable
{
    private readonly string? _encoding;
    private readonly int _maxRawBytes;
    private byte[] _buffer;

    private IncomingBody(string mediaType, string? encoding, int maxRawBytes, byte[] buffer, int length)
    {
        MediaType = mediaType;
        _encoding = encoding;
        _maxRawBytes = maxRawBytes;
        _buffer = buffer;
        Length = length;
    }

    public string MediaType { get; }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, Length);

    /// <summary>Reads it as it comes, and stops at the limit of <paramref name="route"/>.</summary>
    /// <exception cref="ApiError">415 or 413: wrong media type or encoding, or too large.</exception>
    public static async Task<IncomingBody> ReadAsync(HttpContext context, IntakeRoute route)
    {
        var mediaType = MediaTypeOf(context.Request, route);
        var encoding = EncodingOf(context.Request, route);
        if (context.Request.ContentLength > route.MaxWireBytes)
        {
            throw ApiError.TooLarge("the body", route.MaxWireBytes);
        }
        var (wire, wireLength) = await ReadWireAsync(context.Request.BodyReader, route, context.RequestAborted);
        context.Features.Get<RequestRecord>()?.WireBytes = wireLength;
        return new IncomingBody(mediaType, encoding, route.MaxRawBytes, wire, wireLength);
    }

    /// <summary>Decompresses it where it is compressed, and stops at the route's other limit.</summary>
    /// <exception cref="ApiError">413 or 400: too large, not decodable, or empty.</exception>
    public void Unpack(RequestRecord? record)
    {
        if (_encoding is not null)
        {
            var (raw, rawLength) = Decompress(_buffer, Length, _encoding, _maxRawBytes);
            ArrayPool<byte>.Shared.Return(_buffer);
            (_buffer, Length) = (raw, rawLength);
        }
        record?.Took(this);
        if (Length == 0)
        {
            throw ApiError.BadRequest("Payload is empty");
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private static string MediaTypeOf(HttpRequest request, IntakeRoute route)
    {
        if (
            MediaTypeHeaderValue.TryParse(request.ContentType, out var header)
            && route.MediaTypes.Contains(header.MediaType.Value, StringComparer.OrdinalIgnoreCase)
        )
        {
            return header.MediaType.Value!.ToLowerInvariant();
        }
        throw new ApiError(
            StatusCodes.Status415UnsupportedMediaType,
            $"Unsupported Content-Type; {route.Path} takes {string.Join(", ", route.MediaTypes)}"
        );
    }

    private static string? EncodingOf(HttpRequest request, IntakeRoute route)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        return Array.Find(route.Encodings, known => known.Equals(encoding, StringComparison.OrdinalIgnoreCase))
            ?? throw new ApiError(
                StatusCodes.Status415UnsupportedMediaType,
                $"Unsupported Content-Encoding; {route.Path} takes {string.Join(", ", route.Encodings.Append("none"))}"
            );
    }

    private static async Task<(byte[] Buffer, int Length)> ReadWireAsync(
        PipeReader reader,
        IntakeRoute route,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var length = read.Buffer.Length;
            if (length > route.MaxWireBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw ApiError.TooLarge("the body", route.MaxWireBytes);
            }
            if (read.IsCompleted)
            {
                var buffer = ArrayPool<byte>.Shared.Rent((int)length);
                read.Buffer.CopyTo(buffer);
                reader.AdvanceTo(read.Buffer.End);
                return (buffer, (int)length);
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static (byte[] Buffer, int Length) Decompress(byte[] wire, int wireLength, string encoding, int limit)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(limit, Math.Max(4096, wireLength * 4)));
        var length = 0;
        try
        {
            using var source = new MemoryStream(wire, 0, wireLength, writable: false);
            using var stream = Open(source, encoding, limit);
            while (true)
            {
                if (length == buffer.Length)
                {
                    buffer = Grow(buffer, length);
                }
                // One byte past the limit is enough to know; no more is ever decompressed.
                var room = Math.Min(buffer.Length, limit + 1) - length;
                var count = stream.Read(buffer, length, room);
                length += count;
                if (length > limit)
                {
                    throw ApiError.TooLarge("the decompressed body", limit);
                }
                if (count == 0)
                {
                    return IsWhole(encoding, wire.AsSpan(0, wireLength), buffer.AsSpan(0, length))
                        ? (buffer, length)
                        : throw new InvalidDataException();
                }
            }
        }
        catch (Exception e)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (e is InvalidDataException or EndOfStreamException or ZstdException)
            {
                throw ApiError.BadRequest($"Unable to decompress the body as {encoding}");
            }
            throw;
        }
    }

    private static Stream Open(MemoryStream source, string encoding, int limit)
    {
        switch (encoding)
        {
            case "gzip":
                return new GZipStream(source, CompressionMode.Decompress);
            case "deflate":
                return new ZLibStream(source, CompressionMode.Decompress);
            default:
                var zstd = new DecompressionStream(source, checkEndOfStream: true);
                // A frame may ask its reader for a window of gigabytes; one that holds the largest body is enough.
                zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, BitOperations.Log2((uint)limit) + 1);
                return zstd;
        }
    }

    private static bool IsWhole(string encoding, ReadOnlySpan<byte> wire, ReadOnlySpan<byte> raw) =>
        encoding switch
        {
            "gzip" => Trailer.EndsAsGzip(wire, raw),
            "deflate" => Trailer.EndsAsZlib(wire, raw),
            _ => true,
        };

    private static byte[] Grow(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
