using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace StreamSpace.PluginHost.Web;

/// <summary>RequestLimits that callers send, within their bounds.</summary>
internal static class RequestLimits
{
    /// <summary>In bytes, for every endpoint of the host and of plugins.</summary>
    public const int Largest = 5_000_000;

    /// <summary>What is said when too many bodies are held at a time.</summary>
    public const string NoRoom =
        "Too many bodies are being read at the moment, and nothing of this one was kept: send it again.";

    // What ASP.NET Core decodes (docs/reference/dotnet.md §7), and zstd, which clients of Datadog send.
    private const string Codings = "gzip, br, deflate, zstd";

    // A known caller's body over the bound is still taken off the wire up to here, or he would see a broken connection in
    // place of our answer.
    private const int LargestDrained = 64_000_000;

    // How much of a body may wait in the server for somebody to read it, in bytes.
    private const int ReadAhead = 65_536;

    // In bytes a second: whoever has not shown yet who he is must not hold his place by dripping.
    private const double SlowestUnknown = 50_000;

    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(5);

    /// <summary>Lets the server take nobody's body, until the caller is known or has at least what to show for himself.</summary>
    public static void Bound(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = 0;
        limits.MaxRequestBufferSize = ReadAhead;
    }

    /// <summary>
    /// To be used as soon as a known caller is known. The connection of any other ends with the answer when a body came with
    /// his request: the rest of it is not even taken off the wire.
    /// </summary>
    public static void UseCallersBody(this IApplicationBuilder app) =>
        app.Use(
            (http, next) =>
            {
                if (!HasBody(http))
                {
                    return next(http);
                }
                if (IsKnown(http))
                {
                    Allow(http, LargestDrained);
                }
                http.Response.OnStarting(() =>
                {
                    if (!IsKnown(http))
                    {
                        http.Response.Headers.Connection = "close";
                    }
                    return Task.CompletedTask;
                });
                return next(http);
            }
        );

    /// <summary>
    /// Refuses a body that says it is too large, stops reading one that turns out to be, also when it is unpacked, and holds no more at a time than
    /// there is room for: callers who are known have theirs, those whose signature is still to be verified a smaller one.
    /// </summary>
    public static void UseBodyBound(this IApplicationBuilder app)
    {
        var known = new BodyRoom(mostBodies: 1_024, mostBytes: 128_000_000);
        var unknown = new BodyRoom(mostBodies: 256, mostBytes: 32_000_000);
        app.Use((http, next) => HasBody(http) ? BoundedAsync(http, next, IsKnown(http) ? known : unknown) : next(http));
    }

    private static async Task BoundedAsync(HttpContext http, RequestDelegate next, BodyRoom room)
    {
        if (http.Request.ContentLength > Largest)
        {
            http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }
        using var place = room.TryEnter(http.Request.ContentLength ?? 0);
        if (place is null)
        {
            throw new BadHttpRequestException(NoRoom, StatusCodes.Status503ServiceUnavailable);
        }
        var isKnown = IsKnown(http);
        if (http.Request.ContentLength is null || !isKnown)
        {
            Allow(http, Largest);
        }
        http.Request.Body = new CallersBody(http.Request.Body, http.Request.ContentLength is null ? place : null);
        if (Coding(http.Request) is { } coding)
        {
            // A signature is of what came, and nobody's body is unpacked before he is known.
            if (!isKnown || Decoded(http) is not { } decoded)
            {
                http.Response.Headers.AcceptEncoding = isKnown ? Codings : "identity";
                await Problem
                    .Of(
                        StatusCodes.Status415UnsupportedMediaType,
                        isKnown
                            ? $"The body is coded as \"{coding}\"; it may be coded once, as {Codings}, or not at all."
                            : "A body that is signed is taken as it is signed, not coded."
                    )
                    .ExecuteAsync(http);
                return;
            }
            http.Request.Body = new CallersBody(decoded, place, Largest);
            http.Request.ContentLength = null;
        }
        if (!isKnown)
        {
            http.Features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = new MinDataRate(
                SlowestUnknown,
                SlowStart
            );
        }
        await next(http);
    }

    // Null: it came as it is.
    private static string? Coding(HttpRequest request) =>
        request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding
        && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)
            ? coding
            : null;

    private static Stream? Decoded(HttpContext http) =>
        http.RequestServices.GetRequiredService<IRequestDecompressionProvider>().GetDecompressionStream(http);

    private static void Allow(HttpContext http, long bytes) =>
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = bytes;

    private static bool HasBody(HttpContext http) =>
        http.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody;

    private static bool IsKnown(HttpContext http) => http.User.Identity?.IsAuthenticated is true;
}
