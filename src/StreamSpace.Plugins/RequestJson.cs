using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace StreamSpace.Plugins;

/// <summary>
/// The JSON of a request's body: every endpoint of the host and of plugins reads it here, and refuses in the same words. How
/// large it may be is the host's to say.
/// </summary>
public sealed class RequestJson : IDisposable
{
    /// <summary>How deep it may nest.</summary>
    public const int Deepest = 32;

    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = Deepest };
    private static readonly JsonDocumentOptions Strict = Lenient with { AllowDuplicateProperties = false };

    private readonly JsonDocument _document;

    private RequestJson(JsonDocument document, ReadOnlyMemory<byte> bytes)
    {
        (_document, Bytes) = (document, bytes);
    }

    /// <summary>What it says; good until this is disposed.</summary>
    public JsonElement Root => _document.RootElement;

    /// <summary>The body, as it came or, when it came compressed, as it was before; a byte order mark is part of it.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Reads any JSON, or says why there is none. Its strings may be no text, and of a name that is there twice each counts.</summary>
    /// <param name="request">Whose body.</param>
    /// <param name="refuse">Looks at the bytes before they are parsed, and may refuse them.</param>
    public static Task<(RequestJson? Json, IResult? Error)> ReadAsync(
        HttpRequest request,
        Func<ReadOnlyMemory<byte>, IResult?>? refuse = null
    ) => ReadAsync(request, refuse, Lenient);

    /// <summary>Reads an object in which every string is text and every name there once, or says why there is none.</summary>
    /// <param name="request">Whose body.</param>
    public static async Task<(JsonObject? Body, IResult? Error)> ReadObjectAsync(HttpRequest request)
    {
        var (json, refusal) = await ReadAsync(
            request,
            bytes => JsonText.IsWhole(bytes.Span) ? null : Refused("The body holds a string that is not Unicode text."),
            Strict
        );
        using (json)
        {
            return json is null ? (null, refusal)
                : json.Root.ValueKind == JsonValueKind.Object ? (JsonObject.Create(json.Root.Clone()), null)
                : (null, Refused("The body must be a JSON object."));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _document.Dispose();

    private static async Task<(RequestJson? Json, IResult? Error)> ReadAsync(
        HttpRequest request,
        Func<ReadOnlyMemory<byte>, IResult?>? refuse,
        JsonDocumentOptions options
    )
    {
        if (!request.HasJsonContentType())
        {
            return (
                null,
                Refused("Send the body as Content-Type: application/json.", StatusCodes.Status415UnsupportedMediaType)
            );
        }
        var body = new MemoryStream((int)(request.ContentLength ?? 0));
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        var json = bytes.Span.StartsWith(JsonText.ByteOrderMark) ? bytes[JsonText.ByteOrderMark.Length..] : bytes;
        try
        {
            return refuse?.Invoke(bytes) is { } refusal
                ? (null, refusal)
                : (new RequestJson(JsonDocument.Parse(json, options), bytes), null);
        }
        catch (JsonException e)
        {
            return (
                null,
                Refused($"The body is not valid JSON at {JsonText.Place(e)}, or nests deeper than {Deepest}.")
            );
        }
    }

    private static IResult Refused(string detail, int status = StatusCodes.Status400BadRequest) =>
        Results.Problem(detail, statusCode: status);
}
