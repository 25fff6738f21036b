using System.Net;
using System.Net.Sockets;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>Addresses to listen on, as someone on this machine would call them.</summary>
internal static class ListenAddress
{
    /// <summary>An address that means every interface becomes the loopback one.</summary>
    public static Uri From(string address) =>
        From(
            new Uri(
                address
                    .Replace("://+", "://0.0.0.0", StringComparison.Ordinal)
                    .Replace("://*", "://0.0.0.0", StringComparison.Ordinal)
            )
        );

    /// <inheritdoc cref="From(string)"/>
    public static Uri From(Uri address) =>
        IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)
        && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
            ? new UriBuilder(address) { Host = "127.0.0.1" }.Uri
            : address;

    /// <summary>True when only this machine can reach the address.</summary>
    public static bool IsLoopback(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) && url.IsLoopback;

    /// <summary>True when the system refused to listen: the port is taken, is not for this user, or is on no address of ours.</summary>
    public static bool IsAddressError(Exception e) => e is IOException or SocketException;

    /// <summary>The sentence for an address that is taken or not ours.</summary>
    public static StartupException CannotListen(IReadOnlyList<string> urls, string option, Exception cause) =>
        new(
            $"Cannot listen on {string.Join(" and ", urls)} ({cause.Message.TrimEnd('.')}): stop what uses the port, or name another with {option}.",
            cause
        );
}
