using System.Text;

namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>Metric names and tags as Datadog keeps them (docs/reference/datadog.md §3.7).</summary>
internal static class NameRules
{
    public const int MaxLength = 200;

    private static readonly Rune Underscore = new('_');

    /// <summary>
    /// ASCII letters, digits, <c>_</c> and <c>.</c>; anything else becomes <c>_</c>. Case stays.
    /// </summary>
    /// <returns>The name, or null with the reason.</returns>
    public static string? Metric(string name, out DropReason reason)
    {
        reason = DropReason.BadName;
        if (name.Length == 0 || !char.IsAsciiLetter(name[0]))
        {
            return null;
        }
        if (name.Length > MaxLength)
        {
            reason = DropReason.NameTooLong;
            return null;
        }
        return Replace(name, NameCharacter);
    }

    /// <summary>Lower case; letters, digits and <c>_ - : . /</c>; anything else becomes <c>_</c>.</summary>
    /// <returns>The tag, or null with the reason.</returns>
    public static string? Tag(string tag, out DropReason reason)
    {
        reason = DropReason.BadTag;
        if (tag.Length == 0 || !char.IsLetter(tag[0]) || tag[^1] == ':')
        {
            return null;
        }
        if (tag.Length > MaxLength)
        {
            reason = DropReason.TagTooLong;
            return null;
        }
        return Replace(tag, TagCharacter);
    }

    /// <summary>
    /// A tag of a key and a value of any length, as trace metrics have it: cleaned like any tag, and shortened.
    /// </summary>
    /// <returns>Null for an empty value.</returns>
    public static string? Tag(string key, string value) =>
        value.Length == 0 ? null : Replace($"{key}:{value}", TagCharacter).Truncate(MaxLength).TrimEnd(':');

    /// <summary>A service's name: cleaned like the value of a tag (§5.3).</summary>
    public static string Service(string name) => Replace(name, TagCharacter);

    /// <summary>An operation's name: cleaned like a metric's (§5.3); null when there is no letter in it.</summary>
    public static string? Operation(string name) => name.Any(char.IsAsciiLetter) ? Replace(name, NameCharacter) : null;

    /// <summary>A tag as a query writes it: normalised like a tag, its <c>*</c> kept.</summary>
    public static string TagPattern(string pattern) =>
        Replace(pattern, static c => c.Value == '*' ? c : TagCharacter(c));

    private static Rune TagCharacter(Rune c) =>
        Rune.IsLetterOrDigit(c) ? Rune.ToLowerInvariant(c)
        : c.Value is '_' or '-' or ':' or '.' or '/' ? c
        : Underscore;

    private static Rune NameCharacter(Rune c) =>
        c.Value is '_' or '.' || (c.IsAscii && char.IsAsciiLetterOrDigit((char)c.Value)) ? c : Underscore;

    /// <summary>The same instance when nothing changes.</summary>
    private static string Replace(string text, Func<Rune, Rune> map)
    {
        var replaced = new StringBuilder(text.Length);
        foreach (var c in text.EnumerateRunes())
        {
            replaced.Append(map(c));
        }
        return replaced.Equals(text) ? text : replaced.ToString();
    }
}
