using System.Text.RegularExpressions;

namespace StreamSpace.PluginHost.Commands;

/// <summary>
/// Takes secrets out of texts that leave the machine: those that this installation has, wherever they stand, and what only
/// looks like one.
/// </summary>
internal sealed partial class Scrubber(IEnumerable<string> secrets)
{
    private const string Redacted = "[redacted]";

    // What is shorter would take half of every text with it, and protects nothing.
    private const int Shortest = 4;

    private readonly IReadOnlyList<string> _secrets =
    [
        .. secrets
            .SelectMany(secret => (string[])[secret, Uri.EscapeDataString(secret)])
            .Where(secret => secret.Length >= Shortest)
            .Distinct(StringComparer.Ordinal)
            // The longest first: one may be a part of another.
            .OrderByDescending(secret => secret.Length),
    ];

    /// <summary>The secrets of an environment, and of the files that it names.</summary>
    public static IEnumerable<string> Of(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (name, value) in environment)
        {
            if (SecretName().IsMatch(name))
            {
                yield return value;
            }
            if (name.EndsWith("_KEY_FILE", StringComparison.Ordinal) && ReadOrNull(value) is { } key)
            {
                yield return key.Trim();
            }
            foreach (Match address in Userinfo().Matches(value))
            {
                yield return Uri.UnescapeDataString(address.Groups[2].Value);
            }
        }
    }

    /// <summary>The text without them.</summary>
    public string Scrub(string text)
    {
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Redacted, StringComparison.OrdinalIgnoreCase);
        }
        text = Userinfo().Replace(text, $"$1{Redacted}@");
        text = HexKey().Replace(text, Redacted);
        text = SignedToken().Replace(text, Redacted);
        text = Code().Replace(text, $"$1{Redacted}");
        return Assignment().Replace(text, $"$1{Redacted}");
    }

    private static string? ReadOrNull(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"(pass(word|wd)?|secret|token|_key|apikey|credentials?)$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/?#:@""]{0,100}:)([^\s/?#@""]{1,200})@", RegexOptions.IgnoreCase)]
    private static partial Regex Userinfo();

    // An API key of Datadog's has 32 digits, an application key 40.
    [GeneratedRegex("(?<![0-9a-f])(?:[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])", RegexOptions.IgnoreCase)]
    private static partial Regex HexKey();

    [GeneratedRegex(@"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?")]
    private static partial Regex SignedToken();

    // Of a sign-in link.
    [GeneratedRegex(@"([?&]code=)[^\s""&]+")]
    private static partial Regex Code();

    [GeneratedRegex(
        """((?:passwords?|passwd|pwd|secret|token|api[_-]?key|app(?:lication)?[_-]?key|authorization)\\?["']?\s{0,3}[=:]\s{0,3}(?:(?:Bearer|Basic)\s{1,3})?\\?["']?)(?!\[redacted\]|null|false|true)[^\s,;&"'}\]\\]+""",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Assignment();
}
