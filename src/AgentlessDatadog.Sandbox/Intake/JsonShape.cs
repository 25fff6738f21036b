using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Takes JSON apart strictly: what is not as it should be is refused by its place in the body.</summary>
internal static class JsonShape
{
    private const int MaxDepth = 64;

    // An answer holds what was kept some levels deeper, and a serialiser stops at 64 too.
    private const int MaxKeptDepth = 48;

    // What a parser keeps of a token is six times the two bytes that the shortest take.
    private const int MaxTokens = 4_000_000;

    /// <summary>Parses a body and lets <paramref name="read"/> take it apart.</summary>
    /// <exception cref="ApiError">
    /// 400: not JSON, or not what <paramref name="read"/> expects. 413: more of it than may be taken apart.
    /// </exception>
    public static T Read<T>(ReadOnlyMemory<byte> body, Func<JsonElement, T> read)
    {
        try
        {
            Count(body.Span);
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw ApiError.BadRequest(
                $"Unable to parse the JSON payload at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}"
            );
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate, written as \ud800, is valid JSON and no text; it shows when the text is asked for.
            throw ApiError.BadRequest("Unable to parse the JSON payload: a string is not valid Unicode");
        }
    }

    /// <summary>
    /// Parses a body that is kept as it is: every name is there once, every string is text, every number a finite double, so
    /// that whatever is made of it can be written.
    /// </summary>
    /// <exception cref="ApiError">400: it is not JSON, or not of that kind.</exception>
    public static JsonElement ReadToKeep(ReadOnlyMemory<byte> body)
    {
        try
        {
            RequireReadable(body.Span);
            using var document = JsonDocument.Parse(
                body,
                new JsonDocumentOptions { MaxDepth = MaxKeptDepth, AllowDuplicateProperties = false }
            );
            return document.RootElement.Clone();
        }
        catch (JsonException e) when (e.LineNumber is null)
        {
            throw ApiError.BadRequest("Unable to parse the JSON payload: an object has a field twice");
        }
        catch (JsonException e)
        {
            throw ApiError.BadRequest(
                $"Unable to parse the JSON payload at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}, or more "
                    + $"than {MaxKeptDepth} levels"
            );
        }
    }

    private static void RequireReadable(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxKeptDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && !double.IsFinite(reader.GetDouble()))
            {
                throw ApiError.BadRequest(
                    $"Unable to parse the JSON payload: the number at byte {reader.TokenStartIndex + 1} is out of range"
                );
            }
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && !IsText(ref reader))
            {
                throw ApiError.BadRequest(
                    $"Unable to parse the JSON payload: the string at byte {reader.TokenStartIndex + 1} is not valid Unicode"
                );
            }
        }
    }

    // A lone surrogate is told by nothing else.
    private static bool IsText(ref Utf8JsonReader reader)
    {
        try
        {
            _ = reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    // Nothing is made of a token before it is known that there are not too many.
    private static void Count(ReadOnlySpan<byte> body)
    {
        if (body.Length <= MaxTokens)
        {
            return;
        }
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        var tokens = 0;
        while (reader.Read())
        {
            if (++tokens > MaxTokens)
            {
                throw ApiError.TooMany("values, names and brackets", MaxTokens);
            }
        }
    }

    /// <summary>The required list <c>series</c> of a metrics body.</summary>
    public static JsonElement Series(JsonElement root)
    {
        Expect(root, JsonValueKind.Object, "payload", "an object");
        return Required(root, "series", JsonValueKind.Array, "payload", "a list");
    }

    public static JsonElement Required(JsonElement parent, string name, JsonValueKind kind, string path, string what)
    {
        Expect(parent, JsonValueKind.Object, path, "an object");
        if (!parent.TryGetProperty(name, out var value))
        {
            throw ApiError.BadRequest($"{path}.{name}: missing; it must be {what}");
        }
        Expect(value, kind, $"{path}.{name}", what);
        return value;
    }

    /// <summary>Null when the property is absent or null.</summary>
    public static JsonElement? Optional(JsonElement parent, string name, JsonValueKind kind, string path, string what)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        Expect(value, kind, $"{path}.{name}", what);
        return value;
    }

    public static string RequiredText(JsonElement parent, string name, string path) =>
        Required(parent, name, JsonValueKind.String, path, "a string").GetString()!;

    public static string? OptionalText(JsonElement parent, string name, string path) =>
        Optional(parent, name, JsonValueKind.String, path, "a string")?.GetString();

    public static long? OptionalInteger(JsonElement parent, string name, string path) =>
        Optional(parent, name, JsonValueKind.Number, path, "a whole number") is { } value
            ? Integer(value, $"{path}.{name}")
            : null;

    public static long Integer(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : throw Wrong(path, "a whole number");

    public static double Number(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(path, "a number");

    /// <summary>An optional list of strings, as tags are.</summary>
    public static List<string> Strings(JsonElement parent, string name, string path)
    {
        var strings = new List<string>();
        if (Optional(parent, name, JsonValueKind.Array, path, "a list of strings") is { } list)
        {
            foreach (var item in list.EnumerateArray())
            {
                Expect(item, JsonValueKind.String, $"{path}.{name}[{strings.Count}]", "a string");
                strings.Add(item.GetString()!);
            }
        }
        return strings;
    }

    public static void Expect(JsonElement value, JsonValueKind kind, string path, string what)
    {
        if (value.ValueKind != kind)
        {
            throw Wrong(path, what);
        }
    }

    public static ApiError Wrong(string path, string what) => ApiError.BadRequest($"{path}: must be {what}");
}
