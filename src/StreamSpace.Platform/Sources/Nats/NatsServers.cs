namespace StreamSpace.Platform.Sources.Nats;

/// <summary>Where the servers are, without the credentials that an address may carry.</summary>
internal static class NatsServers
{
    private static readonly string[] Schemes = ["nats", "tls", "ws", "wss"];

    /// <summary>The servers of <paramref name="url"/> in a form that may be shown.</summary>
    /// <exception cref="ArgumentException">One of them is no address; the message does not repeat it.</exception>
    public static string Shown(string url)
    {
        var servers = url.Split(',', StringSplitOptions.TrimEntries);
        return string.Join(", ", servers.Select((server, i) => Shown(server, i + 1)));
    }

    /// <summary>The hosts of these servers.</summary>
    /// <param name="url">One that <see cref="Shown(string)"/> takes.</param>
    public static IReadOnlyList<string> Hosts(string url) =>
        [
            .. url.Split(',', StringSplitOptions.TrimEntries)
                .Select((server, i) => Address(server, i + 1).Host)
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];

    private static string Shown(string server, int position)
    {
        var uri = Address(server, position);
        return $"{uri.Scheme}://{uri.Host}:{(uri.Port > 0 ? uri.Port : 4222)}";
    }

    private static Uri Address(string server, int position)
    {
        var address = server.Contains("://", StringComparison.Ordinal) ? server : $"nats://{server}";
        return
            Uri.TryCreate(address, UriKind.Absolute, out var uri) && Schemes.Contains(uri.Scheme) && uri.Host.Length > 0
            ? uri
            : throw new ArgumentException(
                $"NATS_URL: server {position} is not an address; write nats://host:4222 or tls://host:4222, "
                    + "several parted by commas."
            );
    }
}
