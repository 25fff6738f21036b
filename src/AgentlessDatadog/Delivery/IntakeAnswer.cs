using System.Globalization;
using System.Text;
using System.Text.Json;
using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Delivery;

/// <summary>
/// What the body of an answer says, in whichever of the forms that Datadog's routes use (docs/reference/datadog.md §2.3,
/// §5.1): the JSON of its own, or the JSON or protobuf of OTLP.
/// </summary>
/// <param name="Error">What went wrong, or empty when it does not say.</param>
/// <param name="Rejected">How many of the items were not taken although the request was.</param>
internal sealed record IntakeAnswer(string Error, long Rejected)
{
    private const string Protobuf = "application/x-protobuf";

    /// <summary>It says that something went wrong, whatever the status says.</summary>
    public bool IsError { get; private init; }

    /// <summary>Reads a body; null: it is of no form that Datadog uses.</summary>
    /// <param name="type">Its content type, which may be wrong about JSON.</param>
    /// <param name="body">The body.</param>
    /// <param name="isSuccess">Whether the status is one of success, which says what protobuf means.</param>
    public static IntakeAnswer? Read(string? type, ReadOnlyMemory<byte> body, bool isSuccess)
    {
        try
        {
            if (type == Protobuf)
            {
                return isSuccess ? OfExport(body.Span) : new IntakeAnswer(TextOf(body.Span, MessageField), 0);
            }

            using var json = JsonDocument.Parse(body);
            return OfJson(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidDataException)
        {
            return null;
        }
    }

    private static IntakeAnswer OfJson(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return new IntakeAnswer("", 0);
        }

        if (Errors(root) is { } errors)
        {
            var words = string.Join("; ", errors);
            return new IntakeAnswer(words, 0) { IsError = words.Length > 0 };
        }

        if (root.TryGetProperty("partialSuccess", out var partial) && partial.ValueKind == JsonValueKind.Object)
        {
            return new IntakeAnswer(Text(partial, "errorMessage"), Number(partial, "rejectedSpans"));
        }

        return new IntakeAnswer(Text(root, "message"), 0);
    }

    // Null: there is no member that tells of any. Some routes tell of one alone, as a text.
    private static IEnumerable<string>? Errors(JsonElement root) =>
        !root.TryGetProperty("errors", out var errors) && !root.TryGetProperty("error", out errors) ? null
        : errors.ValueKind == JsonValueKind.Array ? errors.EnumerateArray().Select(ErrorText)
        : errors.ValueKind is JsonValueKind.Null or JsonValueKind.False ? null
        : [ErrorText(errors)];

    private static string ErrorText(JsonElement error)
    {
        if (error.ValueKind != JsonValueKind.Object)
        {
            return error.ToString();
        }

        return error.TryGetProperty("detail", out var detail) ? detail.ToString()
            : error.TryGetProperty("title", out var title) ? title.ToString()
            : error.GetRawText();
    }

    private static string Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";

    // A 64-bit integer is a string in protobuf's JSON.
    private static long Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var number)
        && long.TryParse(number.ToString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            ? value
            : 0;

    // Of ExportTraceServiceResponse, of its partial_success, and of google.rpc.Status.
    private const int PartialSuccessField = 1;
    private const int RejectedField = 1;
    private const int MessageField = 2;

    private static IntakeAnswer OfExport(ReadOnlySpan<byte> export)
    {
        var fields = new ProtobufFields(export);
        var answer = new IntakeAnswer("", 0);
        while (fields.Next())
        {
            if (fields.Number == PartialSuccessField)
            {
                answer = new IntakeAnswer(TextOf(fields.Bytes, MessageField), NumberOf(fields.Bytes, RejectedField));
            }
        }
        return answer;
    }

    private static string TextOf(ReadOnlySpan<byte> message, int number)
    {
        var fields = new ProtobufFields(message);
        var text = "";
        while (fields.Next())
        {
            if (fields.Number == number)
            {
                text = Encoding.UTF8.GetString(fields.Bytes);
            }
        }
        return text;
    }

    private static long NumberOf(ReadOnlySpan<byte> message, int number)
    {
        var fields = new ProtobufFields(message);
        var value = 0L;
        while (fields.Next())
        {
            if (fields.Number == number)
            {
                value = (long)fields.Value;
            }
        }
        return value;
    }
}
