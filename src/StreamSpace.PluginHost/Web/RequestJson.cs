using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>The JSON of a request's body.</summary>
internal static class RequestJson
{
    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = RequestLimits.Deepest,
        AllowDuplicateProperties = false,
    };

    /// <summary>Reads a JSON object, or says why there is none.</summary>
    public static async Task<(JsonObject? Body, IResult? Error)> ReadObjectAsync(HttpRequest request)
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
                    $"The body is not valid JSON at {JsonText.Place(e)}, or nests deeper than {RequestLimits.Deepest}."
                )
            );
        }
    }

    /// <summary>The whole body, as large as <see cref="RequestLimits.UseBodyBound"/> lets it be; to be read from the beginning.</summary>
    public static async Task<MemoryStream> ReadAsync(HttpRequest request)
    {
        var body = new MemoryStream((int)(request.ContentLength ?? 0));
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        body.Position = 0;
        return body;
    }
}
