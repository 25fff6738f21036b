using System.Buffers;
using System.Text.RegularExpressions;

namespace AgentlessDatadog.Signals;

/// <summary>
/// Takes out of a text what opens something: the API key that is in use, whatever is called a password, secret, token or
/// key, what stands in an Authorization header, the password of an address, and signed tokens. The rest of the text stays.
/// </summary>
internal sealed partial class SecretFilter(string? apiKey)
{
    public const string Redacted = "[redacted]";

    // Most texts hold none of these, and are not looked at twice. Of ASCII alone, which is found much quicker.
    private static readonly SearchValues<string> Signs = SearchValues.Create(
        ["pass", "secret", "token", "key", "auth", "bearer", "://", "eyJ", "pwd", "credential"],
        StringComparison.OrdinalIgnoreCase
    );

    // What an address begins with where it was made inert.
    private const char InertColon = '：';

    private readonly string? _apiKey = string.IsNullOrEmpty(apiKey) ? null : apiKey;

    /// <summary>Whether a value is secret whatever it is, for its name says so.</summary>
    public static bool IsSecret(string name) => name.AsSpan().ContainsAny(Signs) && SecretName().IsMatch(name);

    /// <summary>The text without secrets; the very string that came in when there are none.</summary>
    public string Filter(string text)
    {
        if (_apiKey is { } key && text.Contains(key, StringComparison.OrdinalIgnoreCase))
        {
            text = text.Replace(key, Redacted, StringComparison.OrdinalIgnoreCase);
        }

        if (!text.AsSpan().ContainsAny(Signs) && !text.Contains(InertColon, StringComparison.Ordinal))
        {
            return text;
        }

        text = Userinfo().Replace(text, $"$1{Redacted}@");
        text = BearerToken().Replace(text, $"$1 {Redacted}");
        text = SignedToken().Replace(text, Redacted);
        return Assignment().Replace(text, $"$1{Redacted}");
    }

    // Each repetition has a bound, so that no text takes longer than its length is worth.

    // Of an address: what stands between the user's name and the @, also where a name was made inert.
    [GeneratedRegex(
        @"(\b[a-z][a-z0-9+.-]{1,20}[:：]//[^\s/?#:@＠]{0,100}:)[^\s/?#@＠]{1,200}[@＠]",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Userinfo();

    // With a digit in it: what is said about bearers in plain words stays.
    [GeneratedRegex(@"\b(Bearer)\s{1,3}(?=[^\s\d]{0,100}\d)[A-Za-z0-9._~+/=-]{8,}", RegexOptions.IgnoreCase)]
    private static partial Regex BearerToken();

    [GeneratedRegex(@"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?")]
    private static partial Regex SignedToken();

    // A name that ends in one of these, an equals sign or a colon, and a value in quotation marks or up to the next blank.
    [GeneratedRegex(
        """
            ((?:passwords?|passwd|pwd|secret|token|api[_-]?key|app(?:lication)?[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization)["']?\s{0,3}[=:]\s{0,3}(?:(?:Bearer|Basic|Digest|Token)\s{1,3})?)(?:"[^"]*"|'[^']*'|(?!\[redacted\])[^\s,;&"'}\]]+)
            """,
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Assignment();

    [GeneratedRegex(
        @"(passwords?|passwd|pwd|secret|token|api[_.-]?key|app(?:lication)?[_.-]?key|access[_.-]?key|private[_.-]?key|credentials?|authorization)$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretName();
}
