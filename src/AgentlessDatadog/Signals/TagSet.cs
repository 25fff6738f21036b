using System.Buffers;
using System.Text;

namespace AgentlessDatadog.Signals;

/// <summary>
/// Tags in the one form in which a series is known by them: normalised as Datadog does it
/// (docs/reference/datadog.md §3.7), sorted, each once.
/// </summary>
public static class TagSet
{
    /// <summary>Characters that Datadog keeps of a tag.</summary>
    public const int MaxLength = 200;

    /// <summary>Tags that one series may have.</summary>
    public const int MaxCount = 100;

    private static readonly SearchValues<char> Normal = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyz0123456789_-:./"
    );

    /// <summary>The canonical form; the very array that came in when it is in that form already.</summary>
    public static string[] Of(IReadOnlyList<string> tags)
    {
        // Most callers hand in the same few arrays again and again, and write them as they should be.
        if (tags is string[] array && IsCanonical(array))
        {
            return array;
        }

        var normal = new string[tags.Count];
        var count = 0;
        foreach (var tag in tags)
        {
            var text = Normalise(tag);
            if (text.Length > 0)
            {
                normal[count++] = text;
            }
        }
        Array.Sort(normal, 0, count, StringComparer.Ordinal);
        var kept = 0;
        for (var i = 0; i < count && kept < MaxCount; i++)
        {
            if (kept == 0 || !string.Equals(normal[i], normal[kept - 1], StringComparison.Ordinal))
            {
                normal[kept++] = normal[i];
            }
        }
        return kept == normal.Length ? normal : normal[..kept];
    }

    /// <summary>
    /// Lower case; what is neither letter, digit nor one of <c>_-:./</c> becomes <c>_</c>; begins with a letter; does
    /// not end in a colon; at most 200 characters. Empty when nothing is left.
    /// </summary>
    public static string Normalise(string? tag)
    {
        if (string.IsNullOrEmpty(tag) || IsNormal(tag))
        {
            return tag ?? "";
        }

        var text = new StringBuilder(Math.Min(tag.Length, MaxLength));
        foreach (var rune in tag.EnumerateRunes())
        {
            if (text.Length == 0 && !Rune.IsLetter(rune))
            {
                continue;
            }

            var next = IsLegal(rune) ? Rune.ToLowerInvariant(rune) : new Rune('_');
            if (text.Length + next.Utf16SequenceLength > MaxLength)
            {
                break;
            }

            text.Append(next);
        }
        while (text.Length > 0 && text[^1] == ':')
        {
            text.Length--;
        }

        return text.ToString();
    }

    private static bool IsLegal(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || rune.Value is '_' or '-' or ':' or '.' or '/';

    private static bool IsCanonical(string[] tags)
    {
        for (var i = 0; i < tags.Length; i++)
        {
            if (string.IsNullOrEmpty(tags[i]) || !IsNormal(tags[i]))
            {
                return false;
            }

            if (i > 0 && string.CompareOrdinal(tags[i - 1], tags[i]) >= 0)
            {
                return false;
            }
        }
        return tags.Length <= MaxCount;
    }

    private static bool IsNormal(string tag) =>
        tag.Length <= MaxLength
        && char.IsAsciiLetterLower(tag[0])
        && tag[^1] != ':'
        && !tag.AsSpan().ContainsAnyExcept(Normal);
}
