using System.Net;

namespace AgentlessDatadog.Sandbox.Access;

/// <summary>
/// The gate of a sandbox on loopback: the Host header must name this machine, so that a web page whose name was
/// made to point at 127.0.0.1 cannot read along.
/// </summary>
internal static class HostGate
{
    public static bool IsLocal(HttpContext context) => IsLoopback(context.Request.Host.Host);

    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
