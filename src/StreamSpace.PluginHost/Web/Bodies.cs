using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>Bodies that callers send, within their bounds.</summary>
internal static class Bodies
{
    /// <summary>In bytes, for every endpoint of the host and of plugins.</summary>
    public const int Largest = 5_000_000;

    // A body over the bound is still taken off the wire up to here, or its sender would see a broken connection in
    // place of our answer.
    private const int LargestDrained = 64_000_000;

    /// <summary>How deep JSON may nest.</summary>
    public const int Deepest = 32;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = Deepest, AllowDuplicateProperties = false };

    /// <summary>Lets the server take what <see cref="UseBodyBound"/> then refuses.</summary>
    public static void Bound(KestrelServerLimits limits) => limits.MaxRequestBodySize = LargestDrained;

    /// <summary>Refuses a body that says it is too large, and stops reading one that turns out to be.</summary>
    public static void UseBodyBound(this IApplicationBuilder app) =>
        app.Use(
            (http, next) =>
            {
                if (http.Request.ContentLength > Largest)
                {
                    http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
                    return Task.CompletedTask;
                }
                if (http.Request.ContentLength is null)
                {
                    http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = Largest;
                }
                return next(http);
            }
        );

    /// <summary>Reads a JSON object, or says why there is none.</summary>
    public static async Task<(JsonObject? Body, IResult? Refusal)> ReadObjectAsync(HttpRequest request)
    {
        if (!request.HasJsonContentType())
        {
            return (null, Results.StatusCode(StatusCodes.Status415UnsupportedMediaType));
        }
        try
        {
            using var raw = await ReadAsync(request);
            if (!JsonText.IsWhole(raw.GetBuffer().AsSpan(0, (int)raw.Length)))
            {
                return (
                    null,
                    Problem.Of(StatusCodes.Status400BadRequest, "The body holds a string that is not Unicode text.")
                );
            }
            return JsonNode.Parse(raw, null, Strict) is JsonObject body
                ? (body, null)
                : (null, Problem.Of(StatusCodes.Status400BadRequest, "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            return (
                null,
                Problem.Of(
                    StatusCodes.Status400BadRequest,
                    $"The body is not valid JSON {Place(e)}, or nests deeper than {Deepest}."
                )
            );
        }
    }

    /// <summary>The whole body, as large as <see cref="UseBodyBound"/> lets it be; to be read from the beginning.</summary>
    public static async Task<MemoryStream> ReadAsync(HttpRequest request)
    {
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        body.Position = 0;
        return body;
    }

    // The exception's own message may quote the body, and with it a secret.
    private static string Place(JsonException e) => $"at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
}
