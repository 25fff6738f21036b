using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using AgentlessDatadog.Pipeline;

namespace AgentlessDatadog.Tests.Support;

/// <summary>A request as the far end saw it.</summary>
public sealed record FarEndRequest(
    string Method,
    string Path,
    string? ContentType,
    string? Encoding,
    string? Key,
    byte[] Body
)
{
    public required string Host { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public byte[] Raw => PayloadCheck.Unpack(Encoding, Body);
}

/// <summary>How the far end answers; a null status flushes the connection.</summary>
public sealed record FarEndAnswer(int? Status, byte[] Body, string Type = "application/json")
{
    public FarEndAnswer(int? status, string body = """{"errors":[]}""", string type = "application/json")
        : this(status, Encoding.UTF8.GetBytes(body), type) { }

    /// <summary>There is nobody of that name.</summary>
    public bool IsNoHost { get; init; }

    public Dictionary<string, string> Headers { get; init; } = [];

    public FarEndFault Fault { get; init; }

    /// <summary>It comes only after this.</summary>
    public Task After { get; init; } = Task.CompletedTask;

    public static FarEndAnswer Accepted { get; } = new(202);
}

/// <summary>What goes wrong with an answer on its way.</summary>
public enum FarEndFault
{
    None,

    /// <summary>Ends in the middle.</summary>
    Cut,

    /// <summary>Never begins.</summary>
    Stall,

    /// <summary>Comes byte by byte, one each second, and never ends.</summary>
    Drip,
}

/// <summary>
/// A Datadog without a network that answers as it is told and remembers what it was sent. It answers at once: nothing
/// that a test does to the clock comes in between a request and its answer, unless that is told to take its time.
/// </summary>
public sealed class FarEnd(TimeProvider clock) : HttpMessageHandler
{
    private readonly ConcurrentQueue<FarEndRequest> _requests = new();
    private int _held;

    public Uri Url { get; } = new("http://datadog.invalid");

    public Func<FarEndRequest, FarEndAnswer> Answer { get; set; } = _ => FarEndAnswer.Accepted;

    /// <summary>How far its clock is ahead of the rig's.</summary>
    public TimeSpan ClockAhead { get; set; }

    /// <summary>Answers that stall or drip at this moment.</summary>
    public int Held => Volatile.Read(ref _held);

    public PayloadCheck Check { get; } = new();

    public IReadOnlyList<FarEndRequest> Requests => [.. _requests];

    /// <summary>All series that it was sent; a request that came twice overwrites itself.</summary>
    public IEnumerable<ReadSeries> Series =>
        Requests
            .Where(request => request.Path == "/api/v2/series")
            .DistinctBy(request => Convert.ToBase64String(request.Body))
            .SelectMany(request => WireReader.ReadPayload(request.Raw));

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var asked = await ReadAsync(request);
        var answer = Answer(asked);
        Check.Look(asked.Path, asked.Encoding, asked.Body, clock.GetUtcNow());
        _requests.Enqueue(asked);
        await answer.After.WaitAsync(cancellationToken);
        if (answer.Fault == FarEndFault.Stall)
        {
            await HoldAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        if (answer.IsNoHost)
        {
            throw new HttpRequestException(
                HttpRequestError.NameResolutionError,
                "no such host",
                new SocketException((int)SocketError.HostNotFound)
            );
        }
        if (answer.Status is not { } status)
        {
            throw new HttpRequestException("The connection was cut.");
        }

        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StreamContent(new AnswerBody(this, answer)),
        };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue(answer.Type);
        response.Headers.Date = clock.GetUtcNow() + ClockAhead;
        foreach (var (name, value) in answer.Headers)
        {
            _ =
                response.Headers.TryAddWithoutValidation(name, value)
                || response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    private static async Task<FarEndRequest> ReadAsync(HttpRequestMessage message)
    {
        using var body = new MemoryStream();
        if (message.Content is { } content)
        {
            await content.CopyToAsync(body);
        }

        return new FarEndRequest(
            message.Method.Method,
            message.RequestUri!.PathAndQuery,
            message.Content?.Headers.ContentType?.ToString(),
            message.Content?.Headers.ContentEncoding.SingleOrDefault(),
            message.Headers.TryGetValues("DD-API-KEY", out var keys) ? keys.Single() : null,
            body.ToArray()
        )
        {
            Host = message.RequestUri.Host,
            Headers = message.Headers.ToDictionary(header => header.Key, header => string.Join(',', header.Value)),
        };
    }

    private async Task HoldAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _held);
        try
        {
            await Task.Delay(time, clock, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }

    /// <summary>What it has to say is there at once, whoever has lost patience by then.</summary>
    private sealed class AnswerBody(FarEnd farEnd, FarEndAnswer answer) : Stream
    {
        private ReadOnlyMemory<byte> _rest = answer.Fault == FarEndFault.None ? answer.Body : "{"u8.ToArray();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_rest.IsEmpty && answer.Fault == FarEndFault.Cut)
            {
                throw new IOException("The answer was cut.");
            }

            if (_rest.IsEmpty && answer.Fault == FarEndFault.Drip)
            {
                await farEnd.HoldAsync(TimeSpan.FromSeconds(1), cancellationToken);
                _rest = " "u8.ToArray();
            }
            var read = Math.Min(buffer.Length, _rest.Length);
            _rest[..read].CopyTo(buffer);
            _rest = _rest[read..];
            return read;
        }

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
