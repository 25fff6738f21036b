using System.Net;

namespace AgentlessDatadog.Sandbox.Access;

/// <summary>
/// Which names a server answers to. A web page whose name was made to point at 127.0.0.1 could otherwise read along in the
/// browser of whoever looks at it: its requests carry that name in their <c>Host</c>.
/// </summary>
public sealed class HostGate
{
    private readonly HashSet<string> _names;
    private readonly bool _isOpen;

    /// <param name="urls">
    /// Where it listens. On every interface (<c>0.0.0.0</c>, <c>[::]</c>, <c>*</c>, <c>+</c> or a name, which Kestrel takes
    /// for these) it answers to every name: which of them others know it by cannot be told.
    /// </param>
    /// <param name="publicUrl">Where a proxy in front of it is reached, or null.</param>
    public HostGate(IEnumerable<string> urls, Uri? publicUrl)
    {
        var hosts = urls.Select(url => BindingAddress.Parse(url).Host).ToList();
        _isOpen = hosts.Exists(IsEverywhere);
        _names = hosts.Append(publicUrl?.Host).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The sentence for a request that is not answered, with 421; null for one that is.</summary>
    public string? Refuse(HttpRequest request) =>
        _isOpen || IsLoopback(request.Host.Host) || _names.Contains(request.Host.Host)
            ? null
            : "The Host header names another server. This one answers to its own addresses, and to the host of --public-url.";

    /// <summary>True for <c>localhost</c>, 127.0.0.0/8 and <c>[::1]</c>.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsEverywhere(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            : !IsLoopback(host);
}
