using AgentlessDatadog.Sandbox.Access;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Startup;

/// <summary>
/// Passwords that leave this machine on connections which anyone on the way can read. Inside a cluster that may be meant, and
/// StreamSpace's own default is so: it is a warning.
/// </summary>
internal static class ClearText
{
    /// <summary>A warning for each.</summary>
    public static IEnumerable<CheckFinding> Warnings(IReadOnlyDictionary<string, string> environment)
    {
        if (
            environment.GetValueOrDefault("DB_HOST") is { } host
            && !IsHere(host)
            && environment.ContainsKey("DB_PASSWORD")
            && environment.GetValueOrDefault("DB_SSL_MODE", "disable") == "disable"
        )
        {
            yield return new CheckFinding(
                "DB_SSL_MODE",
                CheckVerdict.Warning,
                $"The connection to PostgreSQL at {host} is not encrypted, and its password can be had on the way.",
                "Set DB_SSL_MODE to verify-full, or to require."
            );
        }
        var servers = environment.GetValueOrDefault("NATS_URL", "").Split(',', StringSplitOptions.TrimEntries);
        var open = servers.Select(Nats).OfType<Uri>().FirstOrDefault();
        if (open is not null && (environment.ContainsKey("NATS_PASSWORD") || open.UserInfo.Length > 0))
        {
            yield return new CheckFinding(
                "NATS_URL",
                CheckVerdict.Warning,
                $"The password of NATS may go to {open.Host} unencrypted.",
                "Write tls:// in NATS_URL."
            );
        }
    }

    // Null for one that is encrypted, on this machine, or none.
    private static Uri? Nats(string server) =>
        Uri.TryCreate(
            server.Contains("://", StringComparison.Ordinal) ? server : $"nats://{server}",
            UriKind.Absolute,
            out var address
        )
        && address.Scheme is "nats" or "ws"
        && !IsHere(address.Host)
            ? address
            : null;

    // A path is a socket of this machine.
    private static bool IsHere(string host) => host.StartsWith('/') || HostGate.IsLoopback(host);
}
