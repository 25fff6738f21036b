using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Asks a Kubernetes cluster, read-only. When the cluster does not take our credentials, or we not its certificate, both
/// are read anew: the files that hold them may have been renewed.
/// </summary>
internal sealed class ClusterClient : IDisposable
{
    private const int MaxAnswerBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    private readonly KubernetesOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _renewing = new();
    private volatile ClusterConnection _connection;
    private DateTimeOffset _connectedAt;

    // What is under way on it may go on until the next renewal.
    private ClusterConnection? _former;

    private ClusterClient(KubernetesOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _connection = new ClusterConnection(options);
        _connectedAt = clock.GetUtcNow();
    }

    /// <inheritdoc cref="ClusterConnection.Warning"/>
    public string? Warning => _connection.Warning;

    /// <summary>Where the API server is.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Connects to nothing yet.</summary>
    /// <exception cref="ClusterException">The kubeconfig, the service account or the kubelets' authority cannot be read.</exception>
    public static ClusterClient Open(KubernetesOptions options, TimeProvider clock)
    {
        try
        {
            return new ClusterClient(options, clock);
        }
        catch (Exception e) when (e is not ClusterException)
        {
            // The library's words may repeat a line of the file, and with it a credential.
            throw new ClusterException(
                options.KubeConfig is { } path
                    ? $"The kubeconfig {path} cannot be used; it must exist, be readable and name a current context."
                    : "The pod's service account cannot be read; set automountServiceAccountToken to true.",
                inner: e
            )
            {
                Fix = ClusterException.MendAndWait,
            };
        }
    }

    /// <summary>Reads one answer.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var connection = _connection;
        using var request = Request(connection, path);
        return await ReadAsync(connection, connection.Api, request, type, cancellationToken);
    }

    /// <summary>Reads the summary of the kubelet on the node with this address.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<KubeletSummary> ReadSummaryAsync(IPAddress node, CancellationToken cancellationToken)
    {
        var connection = _connection;
        var address = new UriBuilder(Uri.UriSchemeHttps, node.ToString(), _options.KubeletPort, "/stats/summary");
        using var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        return await ReadAsync(
            connection,
            connection.Kubelets,
            request,
            KubernetesJson.Default.KubeletSummary,
            cancellationToken
        );
    }

    /// <summary>Opens a watch, which the caller reads and disposes.</summary>
    /// <exception cref="ClusterException">It cannot be opened.</exception>
    public async Task<Stream> WatchAsync(string path, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            var connection = _connection;
            using var request = Request(connection, path);
            response = await SendAsync(connection, connection.Api, request, either.Token);
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            throw ClusterException.From(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connection.Dispose();
        _former?.Dispose();
    }

    private async Task<T> ReadAsync<T>(
        ClusterConnection connection,
        HttpClient http,
        HttpRequestMessage request,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await SendAsync(connection, http, request, either.Token);
            await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, either.Token);
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            return await JsonSerializer.DeserializeAsync(body, type, either.Token)
                ?? throw new JsonException("The answer is null.");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw ClusterException.From(e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        ClusterConnection connection,
        HttpClient http,
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await connection.SignAsync(request, cancellationToken);
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }
            using (response)
            {
                throw new ClusterException($"It answers {(int)response.StatusCode}.", response.StatusCode);
            }
        }
        catch (Exception e)
            when (e
                    is ClusterException { Status: HttpStatusCode.Unauthorized }
                        or HttpRequestException { InnerException: AuthenticationException }
            )
        {
            Renew(connection);
            throw;
        }
    }

    private void Renew(ClusterConnection used)
    {
        lock (_renewing)
        {
            var now = _clock.GetUtcNow();
            if (_connection != used || now - _connectedAt < RenewEvery)
            {
                return;
            }
            _connectedAt = now;
            try
            {
                var connection = new ClusterConnection(_options);
                _former?.Dispose();
                (_former, _connection) = (used, connection);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // They cannot be read now. What there is goes on being refused, and they are read again.
            }
        }
    }

    private static HttpRequestMessage Request(ClusterConnection connection, string path) =>
        new(HttpMethod.Get, new Uri(connection.Address.AbsoluteUri.TrimEnd('/') + path));
}
