using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// Asks the server's HTTP monitor who is connected to it: there only where NATS was started with one, as StreamSpace's chart
/// does, and only at the port that everyone uses. It is shown nothing of ours. Where it does not answer, nothing is known.
/// </summary>
internal sealed class NatsMonitor : IDisposable
{
    private const int Port = 8222;

    // More connections than that do not fit into one answer: it is then known of none that it is not there.
    private const int MostConnections = 10_000;
    private const int MostBytes = 16 * 1024 * 1024;

    private readonly IReadOnlyList<string> _hosts;
    private readonly HttpClient _http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
        }
    )
    {
        Timeout = TimeSpan.FromSeconds(5),
        MaxResponseContentBufferSize = MostBytes,
    };

    /// <param name="hosts">Where the servers are.</param>
    public NatsMonitor(IReadOnlyList<string> hosts) => _hosts = hosts;

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Whether a client is connected.</summary>
    /// <param name="client">The name that it gives itself.</param>
    /// <param name="server">The id of the server that we are connected to, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it can be told, and since when it is connected, null when it is not.</returns>
    public async Task<(bool IsKnown, DateTimeOffset? Since)> LookAsync(
        string client,
        string? server,
        CancellationToken cancellationToken
    )
    {
        foreach (var host in _hosts)
        {
            // Who answers there need not be the server that we are connected to.
            if (
                await GetAsync(
                    host,
                    $"connz?limit={MostConnections}",
                    NatsMonitorJson.Default.Connections,
                    cancellationToken
                )
                    is { } all
                && all.ServerId == server
            )
            {
                var since = all.Listed?.Where(c => c.Name == client).Max(c => c.Start);
                return (since is not null || await IsWholeAsync(host, all, cancellationToken), since);
            }
        }
        return default;
    }

    // Of a server that others stand beside, another may have the connection.
    private async Task<bool> IsWholeAsync(string host, Connections all, CancellationToken cancellationToken) =>
        all.Listed is { } listed
        && listed.Count == all.Total
        && await GetAsync(host, "varz", NatsMonitorJson.Default.Neighbours, cancellationToken)
            is { Routes: 0, Leafs: 0, Gateway.Name: null };

    private async Task<T?> GetAsync<T>(
        string host,
        string path,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
        where T : class
    {
        try
        {
            using var answer = await _http.GetAsync(new UriBuilder("http", host, Port).Uri + path, cancellationToken);
            return answer.IsSuccessStatusCode
                ? JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(cancellationToken), type)
                : null;
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException or OperationCanceledException
                && !cancellationToken.IsCancellationRequested
            )
        {
            return null;
        }
    }
}

/// <summary>What <c>/connz</c> tells.</summary>
internal sealed record Connections(
    [property: JsonPropertyName("server_id")] string? ServerId,
    [property: JsonPropertyName("total")] int Total,
    [property: JsonPropertyName("connections")] IReadOnlyList<NamedConnection>? Listed
);

/// <summary>One connection.</summary>
internal sealed record NamedConnection(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("start")] DateTimeOffset? Start
);

/// <summary>What <c>/varz</c> tells of other servers.</summary>
internal sealed record Neighbours(
    [property: JsonPropertyName("routes")] int Routes,
    [property: JsonPropertyName("leafnodes")] int Leafs,
    [property: JsonPropertyName("gateway")] GatewayName? Gateway
);

/// <summary>A gateway, which has a name where there is one.</summary>
internal sealed record GatewayName([property: JsonPropertyName("name")] string? Name);

[JsonSourceGenerationOptions(Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(Connections))]
[JsonSerializable(typeof(Neighbours))]
internal sealed partial class NatsMonitorJson : JsonSerializerContext;
