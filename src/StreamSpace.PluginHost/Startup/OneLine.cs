using System.Globalization;
using System.Text;

namespace StreamSpace.PluginHost.Startup;

/// <summary>
/// Text as a terminal may show it. Names and sentences come from elsewhere: none of them writes lines of its own, moves
/// the cursor or colours what follows (ESC, and the C1 codes that some terminals take for it), or turns the order in which
/// the rest is read.
/// </summary>
internal static class OneLine
{
    /// <summary>White space of any kind becomes a blank, what cannot be seen U+FFFD.</summary>
    public static string Of(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.ReplaceLineEndings(" ").EnumerateRunes())
        {
            line.Append(
                Rune.IsWhiteSpace(rune) ? new Rune(' ')
                : IsUnseen(rune) ? Rune.ReplacementChar
                : rune
            );
        }
        return line.ToString();
    }

    /// <summary>True for what acts and is not seen: control characters, and those that only say how others are shown.</summary>
    public static bool IsUnseen(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
