using System.Text.Json;
using System.Text.Unicode;

namespace StreamSpace.Plugins;

/// <summary>
/// JSON may be well-formed and still hold strings that are no text: bytes that are not UTF-8, or half a surrogate pair
/// written as an escape. A parser takes them, and whoever reads such a string later fails.
/// </summary>
public static class JsonText
{
    /// <summary>May stand before JSON; a parser does not take it.</summary>
    internal static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// True when every name and string in <paramref name="json"/> is text; a byte order mark before it does not matter.
    /// </summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static bool IsWhole(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            return false;
        }
        // As deep as it likes: this walks, and whoever parses has a limit.
        var options = new JsonReaderOptions { MaxDepth = int.MaxValue };
        var reader = new Utf8JsonReader(json.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json, options);
        try
        {
            while (reader.Read())
            {
                if (reader.ValueIsEscaped)
                {
                    _ = reader.GetString();
                }
            }
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Where JSON stopped being valid, as in "line 1, byte 22", both from 1. The exception's own message may quote the text,
    /// and with it a secret.
    /// </summary>
    public static string Place(JsonException error) =>
        $"line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}";
}
