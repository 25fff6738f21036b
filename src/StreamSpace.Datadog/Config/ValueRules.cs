using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// Judges single values, wherever they come from: each under the name by which an operator knows it, a key or a variable.
/// What makes one unusable is an error, what is merely odd a warning.
/// </summary>
internal sealed class ValueRules(List<ConfigError> errors, List<CheckFinding> warnings)
{
    private const int KeyLength = 32;
    private const int AppKeyLength = 40;
    private const int LongestTag = 200;
    private const int LongestKey = 128;

    /// <summary>The site in lower case, or null with an error.</summary>
    public string? Site(string name, string text)
    {
        // The web page and the API of a site are hosts of it.
        var site = text.ToLowerInvariant();
        site =
            site.StartsWith("app.", StringComparison.Ordinal) || site.StartsWith("api.", StringComparison.Ordinal)
                ? site["app.".Length..]
                : site;
        if (site == DatadogConfig.Sandbox || Sites.Known.Contains(site))
        {
            return site;
        }
        if (Sites.IsDatadogs(site))
        {
            Warn(
                name,
                $"{site} is none of Datadog's sites that are known here.",
                "Look at the address of your Datadog."
            );
            return site;
        }
        var nearest = NearestSite(site) is { } known ? $" Did you mean {known}?" : "";
        Error(name, $"must be one of {string.Join(", ", Sites.Known)}, or sandbox.{nearest}{Quotes(text)}");
        return null;
    }

    // What was pasted from a browser may be the address of a site, and what people call a site is its first word.
    private static string? NearestSite(string given)
    {
        var host = Uri.TryCreate(given, UriKind.Absolute, out var url) && url.Host.Length > 0 ? url.Host : given;
        var site = host.StartsWith("app.", StringComparison.Ordinal) ? host["app.".Length..] : host;
        string[] known = [.. Sites.Known, DatadogConfig.Sandbox];
        return known.FirstOrDefault(s => s == site || s.StartsWith($"{site}.", StringComparison.Ordinal))
            ?? NearestName.Of(site, known);
    }

    /// <summary>An address without a password, or null with an error.</summary>
    public Uri? PlainAddress(string name, string text)
    {
        if (Address(text) is not { } url)
        {
            Error(name, $"must be an absolute http or https URL.{Quotes(text)}");
            return null;
        }
        if (url.UserInfo.Length > 0)
        {
            Error(name, "must hold no user and no password: it is shown.");
            return null;
        }
        return url;
    }

    /// <summary>Says when what is sent to <paramref name="url"/> can be read on the way.</summary>
    public void GoesInClear(string name, Uri url)
    {
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
        {
            Warn(name, $"The way to {url.IdnHost} is http: the API key and all data go there in clear.", "Use https.");
        }
    }

    /// <summary>A proxy, or null with a sentence in <paramref name="error"/>.</summary>
    public static Uri? Proxy(string text, out string? error)
    {
        var url = Address(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}");
        error = url is null ? $"must be an http or https URL, or host:port.{Quotes(text)}" : null;
        return url;
    }

    /// <summary>A proxy, or null with an error.</summary>
    public Uri? Proxy(string name, string text)
    {
        var url = Proxy(text, out var error);
        if (error is not null)
        {
            Error(name, error);
        }
        return url;
    }

    /// <summary>A key, or null with an error.</summary>
    public string? Key(string name, string text)
    {
        if (text.All(c => c is > ' ' and <= '~'))
        {
            return text;
        }
        Error(name, "holds blanks or letters that no key has; copy it again from Datadog.");
        return null;
    }

    /// <summary>Says when a value in force stands in quotation marks.</summary>
    public void IsQuoted(string name, string value)
    {
        if (EnvironmentVariables.IsQuoted(value))
        {
            Warn(name, $"{name} stands in quotation marks, which are taken as part of its value.", "Leave them out.");
        }
    }

    /// <summary>Says when an API key in force does not look like one.</summary>
    public void LooksLikeAnApiKey(string name, string key)
    {
        if (key.Length != KeyLength || !key.All(char.IsAsciiHexDigit))
        {
            Warn(
                name,
                key.Length == AppKeyLength
                    ? $"The API key has {key.Length} characters, as application keys have; API keys are {KeyLength} hexadecimal digits."
                    : $"The API key has {key.Length} characters; those of Datadog are {KeyLength} hexadecimal digits.",
                "Copy it again from Organization Settings → API Keys."
            );
        }
    }

    /// <summary>Errors for tags that Datadog would not take as they are.</summary>
    public void Tags(string name, IEnumerable<string> tags)
    {
        foreach (
            var tag in tags.Where(t => t.Length is 0 or > LongestTag || !char.IsLetter(t[0]) || t.Any(char.IsControl))
        )
        {
            Error(
                name,
                $"{Shown(tag)} must begin with a letter and have at most {LongestTag} characters, none a control character."
            );
        }
    }

    /// <summary>Errors for what is none of the handles, parted by blanks, that a monitor tells: it would tell nobody, and not say so.</summary>
    public void Handles(string name, string handles)
    {
        foreach (
            var word in handles
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Where(word =>
                    word is not ['@', var first, ..]
                    || !char.IsLetterOrDigit(first)
                    || word.AsSpan().ContainsAny(',', ';')
                )
        )
        {
            Error(
                name,
                $"{Shown(word)} is no handle: each begins with @, as in @slack-platform-alerts, and blanks part them."
            );
        }
    }

    public void Error(string name, string message) => errors.Add(new ConfigError(name, message));

    public void Warn(string name, string found, string? fix = null) =>
        warnings.Add(new CheckFinding(name, CheckVerdict.Warning, found, fix));

    /// <summary>Whether a key can be sent at all: a header holds no blanks, and nothing beyond ASCII.</summary>
    public static bool IsKey(string text) => text.Length <= LongestKey && text.All(c => c is > ' ' and <= '~');

    private static string Shown(string given) =>
        $"\"{new string([.. given.Take(40).Select(c => char.IsControl(c) ? ' ' : c)])}{(given.Length > 40 ? "…" : "")}\"";

    private static string Quotes(string text) =>
        EnvironmentVariables.IsQuoted(text) ? " Leave out the quotation marks." : "";

    private static Uri? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.IdnHost.Length > 0
            ? url
            : null;
}
