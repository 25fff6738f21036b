using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace StreamSpace.Platform;

/// <summary>
/// Asks a Kubernetes cluster, read-only. When the cluster does not take our credentials, or we not its certificate, both
/// are read anew: the files that hold them may have been renewed.
/// </summary>
internal sealed class Cluster : IDisposable
{
    private const int LongestAnswer = 64 * 1024 * 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    private readonly KubernetesSourceOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _renewing = new();
    private volatile ClusterLink _link;
    private DateTimeOffset _linkedAt;

    // What is under way on it may go on until the next renewal.
    private ClusterLink? _former;

    private Cluster(KubernetesSourceOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _link = new ClusterLink(options);
        _linkedAt = clock.GetUtcNow();
    }

    /// <summary>Where the API server is.</summary>
    public Uri Address => _link.Address;

    /// <summary>Connects to nothing yet.</summary>
    /// <exception cref="ClusterException">The kubeconfig, the service account or the kubelets' authority cannot be read.</exception>
    public static Cluster Open(KubernetesSourceOptions options, TimeProvider clock)
    {
        try
        {
            return new Cluster(options, clock);
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
                IsOurs = true,
            };
        }
    }

    /// <summary>Reads one answer.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var link = _link;
        using var request = Request(link, path);
        return await ReadAsync(link, link.Api, request, type, cancellationToken);
    }

    /// <summary>Reads the summary of the kubelet on the node with this address.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<KubeletSummary> ReadSummaryAsync(IPAddress node, CancellationToken cancellationToken)
    {
        var link = _link;
        var address = new UriBuilder(Uri.UriSchemeHttps, node.ToString(), _options.KubeletPort, "/stats/summary");
        using var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        return await ReadAsync(link, link.Kubelets, request, KubernetesJson.Default.KubeletSummary, cancellationToken);
    }

    /// <summary>Opens a watch, which the caller reads and disposes.</summary>
    /// <exception cref="ClusterException">It cannot be opened.</exception>
    public async Task<Stream> WatchAsync(string path, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(AnswerWithin, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            var link = _link;
            using var request = Request(link, path);
            response = await SendAsync(link, link.Api, request, either.Token);
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
        _link.Dispose();
        _former?.Dispose();
    }

    private async Task<T> ReadAsync<T>(
        ClusterLink link,
        HttpClient http,
        HttpRequestMessage request,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using var patience = new CancellationTokenSource(AnswerWithin, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await SendAsync(link, http, request, either.Token);
            await response.Content.LoadIntoBufferAsync(LongestAnswer, either.Token);
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
        ClusterLink link,
        HttpClient http,
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await link.SignAsync(request, cancellationToken);
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
            Renew(link);
            throw;
        }
    }

    private void Renew(ClusterLink used)
    {
        lock (_renewing)
        {
            var now = _clock.GetUtcNow();
            if (_link != used || now - _linkedAt < RenewEvery)
            {
                return;
            }
            _linkedAt = now;
            try
            {
                var link = new ClusterLink(_options);
                _former?.Dispose();
                (_former, _link) = (used, link);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // They cannot be read now. What there is goes on being refused, and they are read again.
            }
        }
    }

    private static HttpRequestMessage Request(ClusterLink link, string path) =>
        new(HttpMethod.Get, new Uri(link.Address.AbsoluteUri.TrimEnd('/') + path));
}
