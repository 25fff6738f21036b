using System.Buffers;
using System.Globalization;
using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;
using Microsoft.AspNetCore.WebUtilities;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Writes answers: JSON with the status given.</summary>
internal static class JsonResponse
{
    private const string Json = "application/json";

    public static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = Json;
        using (var writer = new Utf8JsonWriter(response.BodyWriter))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public static Task OkAsync(HttpContext context, Action<Utf8JsonWriter> write) =>
        WriteAsync(context, StatusCodes.Status200OK, write);

    /// <summary>A fixed body, to the byte.</summary>
    public static async Task WriteAsync(HttpContext context, int status, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = Json;
        context.Response.BodyWriter.Write(body.Span);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>A value that is there already, a list too.</summary>
    public static Task OkAsync<T>(HttpContext context, T value) =>
        WriteAsync(context, StatusCodes.Status200OK, JsonSerializer.SerializeToUtf8Bytes(value));

    /// <summary>An error in one of Datadog's forms.</summary>
    public static async Task RefuseAsync(
        HttpContext context,
        int status,
        string message,
        ErrorForm form = ErrorForm.Texts
    )
    {
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("errors");
            if (form == ErrorForm.Objects)
            {
                writer.WriteStartObject();
                writer.WriteString("status", status.ToString(CultureInfo.InvariantCulture));
                writer.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
                writer.WriteString("detail", message);
                writer.WriteEndObject();
            }
            else
            {
                writer.WriteStringValue(message);
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = form == ErrorForm.PlainText ? "text/plain; charset=utf-8" : Json;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>The value of a required whole number in the query string.</summary>
    /// <exception cref="ApiError">400, naming the parameter.</exception>
    public static long Integer(HttpRequest request, string parameter) =>
        long.TryParse(request.Query[parameter], out var value) && value is >= 0 and <= uint.MaxValue
            ? value
            : throw ApiError.BadRequest($"The parameter '{parameter}' is required, in POSIX seconds");

    /// <summary>The value of a whole number in the query string that may be left out.</summary>
    /// <exception cref="ApiError">400, naming the parameter.</exception>
    public static int Integer(HttpRequest request, string parameter, int otherwise)
    {
        var text = request.Query[parameter].ToString();
        return text.Length == 0 ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
            : throw ApiError.BadRequest($"The parameter '{parameter}' must be a whole number");
    }

    public static void WriteStringOrNull(this Utf8JsonWriter writer, string property, string? value)
    {
        if (value is null)
        {
            writer.WriteNull(property);
        }
        else
        {
            writer.WriteString(property, value);
        }
    }

    public static void WriteStrings(this Utf8JsonWriter writer, string property, IEnumerable<string> values)
    {
        writer.WriteStartArray(property);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }
        writer.WriteEndArray();
    }
}
