using System.Text.RegularExpressions;

namespace AgentlessDatadog;

/// <summary>Datadog's sites (docs.datadoghq.com/getting_started/site).</summary>
public static partial class Sites
{
    private static readonly string[] Domains = ["datadoghq.com", "datadoghq.eu", "ddog-gov.com"];

    /// <summary>Those that there are, by name.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        "datadoghq.com",
        "us3.datadoghq.com",
        "us5.datadoghq.com",
        "datadoghq.eu",
        "ap1.datadoghq.com",
        "ap2.datadoghq.com",
        "uk1.datadoghq.com",
        "ddog-gov.com",
        "us2.ddog-gov.com",
    ];

    /// <summary>Whether <paramref name="site"/>, in lower case, is one of them, or may be a region of a domain of Datadog's.</summary>
    public static bool IsDatadogs(string site) => Region().IsMatch(site);

    /// <summary>Whether what is sent to <paramref name="address"/> reaches Datadog alone: TLS to a host of its domains.</summary>
    public static bool Owns(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps
        && address.UserInfo.Length == 0
        && Domains.Any(domain =>
            address.IdnHost == domain || address.IdnHost.EndsWith($".{domain}", StringComparison.Ordinal)
        );

    [GeneratedRegex(@"\A([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)?(datadoghq\.com|datadoghq\.eu|ddog-gov\.com)\z")]
    private static partial Regex Region();
}
