using System.Net;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// The proxy that the environment names, as curl and Go's programs read it, with the Datadog Agent's own names first. A
/// variable that others set for themselves costs a warning at most.
/// </summary>
internal static class EnvironmentProxy
{
    private static readonly string[] ForHttps = ["DD_PROXY_HTTPS", "HTTPS_PROXY", "https_proxy"];
    private static readonly string[] ForHttp = ["DD_PROXY_HTTP", "HTTP_PROXY", "http_proxy"];
    private static readonly string[] None = ["DD_PROXY_NO_PROXY", "NO_PROXY", "no_proxy"];

    /// <summary>Every variable that is read here and is Datadog's own.</summary>
    public static IEnumerable<string> Ours => [ForHttps[0], ForHttp[0], None[0]];

    /// <summary>The proxy on the way to <paramref name="destination"/> and the variable that names it, or null for none.</summary>
    public static (Uri Address, string Variable)? For(
        Uri destination,
        IReadOnlyDictionary<string, string> environment,
        ValueRules rules
    )
    {
        if (destination.IsLoopback || First(None) is { } none && IsListed(destination, environment[none]))
        {
            return null;
        }
        if (First(destination.Scheme == Uri.UriSchemeHttps ? ForHttps : ForHttp) is not { } variable)
        {
            return null;
        }
        if (variable.StartsWith("DD_", StringComparison.Ordinal))
        {
            return Named(rules.Proxy(variable, environment[variable]));
        }
        var proxy = ValueRules.Proxy(environment[variable], out var error);
        if (error is not null)
        {
            rules.Warn(variable, $"{variable} {error} It is not used.", "Set it right, or set proxy.");
        }
        return Named(proxy);

        (Uri, string)? Named(Uri? address) => address is null ? null : (address, variable);

        string? First(string[] names) => names.FirstOrDefault(environment.ContainsKey);
    }

    /// <summary>
    /// Whether <paramref name="list"/> names the host: *, a name with all below it, with or without a dot or *. before it, an
    /// address, a range of addresses; each with a port or without.
    /// </summary>
    public static bool IsListed(Uri destination, string list) =>
        list.Split((char[])[',', ' ', '\t', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
            .Any(entry => IsNamed(destination, entry));

    private static bool IsNamed(Uri destination, string entry)
    {
        if (entry == "*")
        {
            return true;
        }
        var host = destination.IdnHost;
        var isAddress = IPAddress.TryParse(host, out var address);
        if (IPNetwork.TryParse(entry, out var network))
        {
            return isAddress && network.Contains(address!);
        }
        if (IPAddress.TryParse(entry, out var only))
        {
            return only.Equals(address);
        }
        if (entry.LastIndexOf(':') is var colon and > 0 && int.TryParse(entry.AsSpan(colon + 1), out var port))
        {
            return port == destination.Port && IsNamed(destination, entry[..colon].Trim('[', ']'));
        }
        var name = entry.TrimStart('*').TrimStart('.');
        return name.Length > 0
            && !isAddress
            && (
                host.Equals(name, StringComparison.OrdinalIgnoreCase)
                || host.EndsWith($".{name}", StringComparison.OrdinalIgnoreCase)
            );
    }
}
