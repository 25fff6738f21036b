using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

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
    public byte[] Raw => PayloadCheck.Unpack(Encoding, Body);
}

/// <summary>How the far end answers; a null status cuts the connection.</summary>
public sealed record FarEndAnswer(int? Status, string Body = """{"errors":[]}""", string Type = "application/json")
{
    public Dictionary<string, string> Headers { get; init; } = [];

    public FarEndFault Fault { get; init; }

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

    /// <summary>Comes byte by byte and never ends.</summary>
    Drip,
}

/// <summary>A Datadog on loopback that answers as it is told and remembers what it was sent.</summary>
public sealed class FarEnd : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<FarEndRequest> _requests = new();
    private int _held;

    private FarEnd(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.Single());

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

    public static async Task<FarEnd> StartAsync(TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var farEnd = new FarEnd(app);
        app.Run(context => farEnd.HandleAsync(context, clock));
        await app.StartAsync();
        return farEnd;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context, TimeProvider clock)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new FarEndRequest(
            context.Request.Method,
            context.Request.Path + context.Request.QueryString,
            context.Request.ContentType,
            context.Request.Headers.ContentEncoding,
            context.Request.Headers["DD-API-KEY"],
            body.ToArray()
        );
        var answer = Answer(request);
        Check.Look(request.Path, request.Encoding, request.Body, clock.GetUtcNow());
        _requests.Enqueue(request);
        if (answer.Status is not { } status)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = answer.Type;
        context.Response.GetTypedHeaders().Date = clock.GetUtcNow() + ClockAhead;
        foreach (var (name, value) in answer.Headers)
            context.Response.Headers[name] = value;
        await WriteAsync(context, answer);
    }

    private async Task WriteAsync(HttpContext context, FarEndAnswer answer)
    {
        if (answer.Fault == FarEndFault.None)
        {
            await context.Response.WriteAsync(answer.Body);
            return;
        }
        context.Response.ContentLength = answer.Fault == FarEndFault.Drip ? null : 1000;
        if (answer.Fault != FarEndFault.Stall)
            await context.Response.WriteAsync("{");
        if (answer.Fault == FarEndFault.Cut)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
            return;
        }
        Interlocked.Increment(ref _held);
        using var drop = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await drop.WaitForNextTickAsync(CancellationToken.None);
            if (answer.Fault == FarEndFault.Drip)
                await context.Response.WriteAsync(" ");
        }
        Interlocked.Decrement(ref _held);
    }
}
