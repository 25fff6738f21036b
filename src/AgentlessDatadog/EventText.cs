using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace AgentlessDatadog;

/// <summary>
/// The words of an event, written as an interpolated string: its literal parts stand as the programmer wrote them, what
/// fills its holes is a name from elsewhere and cannot act. Datadog pages whoever an event's text names with an <c>@</c>,
/// draws Markdown between <c>%%%</c>, and lets monitors' variables work between braces; its rules for all that are not
/// published in full, so that none of these characters comes through from a name, wherever it stands.
/// </summary>
/// <remarks>
/// In a hole each of <c>@ % # * &amp; | ~ ` \ &lt; &gt; [ ] { }</c>, and a colon before a slash, becomes its full-width
/// twin, which reads the same; white space of any kind becomes a blank; what cannot be seen (control characters, changes
/// of direction, half a surrogate pair) becomes U+FFFD. What follows the 250th character of a hole is cut off, with an
/// ellipsis in its place. A whole string is one name, of any length: <see cref="DatadogEvent"/> bounds it.
/// </remarks>
[InterpolatedStringHandler]
public sealed class EventText : IEquatable<EventText>
{
    /// <summary>The most characters of one hole.</summary>
    private const int LongestName = 250;

    // What neither acts nor is unseen, alone or beside anything.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !\"$'()+,-.0123456789;=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz"
    );

    private const string Acting = "@%#*&|~`\\<>[]{}";

    private readonly StringBuilder _text;

    /// <summary>Called by the compiler for an interpolated string.</summary>
    /// <param name="literalLength">Characters in the literal parts.</param>
    /// <param name="formattedCount">Holes.</param>
    public EventText(int literalLength, int formattedCount) =>
        _text = new StringBuilder(literalLength + (formattedCount * 16));

    /// <summary>One name, in full.</summary>
    /// <param name="name">A string from anywhere.</param>
    public static implicit operator EventText(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var text = new EventText(name.Length, 0);
        text.AppendName(name);
        return text;
    }

    /// <summary>What a programmer wrote, as it is.</summary>
    internal static EventText Literal(string text)
    {
        var all = new EventText(text.Length, 0);
        all.AppendLiteral(text);
        return all;
    }

    /// <summary>Several texts, with a literal between them.</summary>
    /// <param name="separator">What stands between two of them, as it is.</param>
    /// <param name="parts">The texts.</param>
    public static EventText Join(string separator, IEnumerable<EventText> parts)
    {
        var all = new EventText(0, 0);
        foreach (var part in parts)
        {
            if (all._text.Length > 0)
            {
                all.AppendLiteral(separator);
            }

            all.AppendFormatted(part);
        }
        return all;
    }

    /// <summary>Called by the compiler: a literal part, as it is.</summary>
    /// <param name="literal">Written by the programmer.</param>
    public void AppendLiteral(string literal)
    {
        if (literal.StartsWith('/'))
        {
            EndColon();
        }

        _text.Append(literal);
    }

    /// <summary>Called by the compiler: a text that was made by these rules already.</summary>
    /// <param name="text">The text.</param>
    public void AppendFormatted(EventText text)
    {
        if (text._text.Length > 0 && text._text[0] == '/')
        {
            EndColon();
        }

        _text.Append(text._text);
    }

    /// <summary>Called by the compiler: a hole, in the invariant culture.</summary>
    /// <param name="value">What fills it; null fills it with nothing.</param>
    /// <param name="format">Its format, if any.</param>
    public void AppendFormatted<T>(T value, string? format = null)
    {
        var name = value is IFormattable formattable
            ? formattable.ToString(format, CultureInfo.InvariantCulture)
            : value?.ToString() ?? "";
        AppendName(name.Length <= LongestName ? name : $"{name.AsSpan(0, LongestName - 1)}…");
    }

    /// <summary>The whole text.</summary>
    public override string ToString() => _text.ToString();

    /// <summary>True when both read the same.</summary>
    public bool Equals(EventText? other) => other is not null && _text.Equals(other._text);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EventText);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    // Rune by rune, so that names may stand next to each other and make nothing together that neither does alone.
    private void AppendName(string name)
    {
        if (!name.AsSpan().ContainsAnyExcept(Plain))
        {
            _text.Append(name);
            return;
        }

        foreach (var rune in name.EnumerateRunes())
        {
            if (rune.Value == '/')
            {
                EndColon();
            }

            if (rune.IsAscii && Acting.Contains((char)rune.Value))
            {
                _text.Append(FullWidth((char)rune.Value));
            }
            else if (Rune.IsWhiteSpace(rune))
            {
                _text.Append(' ');
            }
            else
            {
                _text.Append(IsUnseen(rune) ? Rune.ReplacementChar : rune);
            }
        }
    }

    // What follows a colon must not make an address of it.
    private void EndColon()
    {
        if (_text.Length > 0 && _text[^1] == ':')
        {
            _text[^1] = FullWidth(':');
        }
    }

    // From ! to ~, Unicode holds each ASCII character a second time, as wide as an ideograph.
    private static char FullWidth(char ascii) => (char)(ascii + '\uFF01' - '!');

    private static bool IsUnseen(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format;
}
