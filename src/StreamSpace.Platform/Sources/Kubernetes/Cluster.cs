using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace StreamSpace.Platform;

/// <summary>Asks a Kubernetes cluster, read-only. The client library brings address, trust and credentials.</summary>
internal sealed class Cluster : IDisposable
{
    private const int LongestAnswer = 64 * 1024 * 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);

    private readonly Kubernetes _client;
    private readonly HttpClient _kubelets;
    private readonly int _kubeletPort;
    private readonly TimeProvider _clock;

    private Cluster(KubernetesClientConfiguration config, KubernetesSourceOptions options, TimeProvider clock)
    {
        _clock = clock;
        _kubeletPort = options.KubeletPort;
        config.FirstMessageHandlerSetup = handler => Harden(handler, config, config.SslCaCerts);
        _client = new Kubernetes(config);
        var kubelets = new SocketsHttpHandler();
        Harden(kubelets, config, options.KubeletAuthority is { } file ? Authorities(file) : config.SslCaCerts);
        _kubelets = new HttpClient(kubelets) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Where the API server is.</summary>
    public Uri Address => _client.BaseUri;

    /// <summary>Connects to nothing yet.</summary>
    /// <exception cref="ClusterException">The kubeconfig, the service account or the kubelets' authority cannot be read.</exception>
    public static Cluster Open(KubernetesSourceOptions options, TimeProvider clock)
    {
        try
        {
            return new Cluster(Config(options.KubeConfig), options, clock);
        }
        catch (Exception e) when (e is not ClusterException)
        {
            // The library's words may repeat a line of the file, and with it a credential.
            throw new ClusterException(
                options.KubeConfig is { } path
                    ? $"The kubeconfig {path} cannot be used; it must exist, be readable and name a current context."
                    : "The pod's service account cannot be read; set automountServiceAccountToken to true.",
                inner: e
            );
        }
    }

    /// <summary>Reads one answer.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var request = Request(path);
        return await ReadAsync(_client.HttpClient, request, type, cancellationToken);
    }

    /// <summary>Reads the summary of the kubelet on the node with this address.</summary>
    /// <exception cref="ClusterException">There is none, or a refusal.</exception>
    public async Task<KubeletSummary> ReadSummaryAsync(IPAddress node, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(Uri.UriSchemeHttps, node.ToString(), _kubeletPort, "/stats/summary");
        using var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        return await ReadAsync(_kubelets, request, KubernetesJson.Default.KubeletSummary, cancellationToken);
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
            using var request = Request(path);
            response = await SendAsync(_client.HttpClient, request, either.Token);
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
        _client.Dispose();
        _kubelets.Dispose();
    }

    private async Task<T> ReadAsync<T>(
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
            using var response = await SendAsync(http, request, either.Token);
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
        HttpClient http,
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (_client.Credentials is { } credentials)
        {
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        }
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

    private HttpRequestMessage Request(string path) =>
        new(HttpMethod.Get, new Uri(_client.BaseUri.AbsoluteUri.TrimEnd('/') + path));

    // The library's own check passes over a wrong name once it has an authority; the platform's does not. A redirect
    // would carry our token elsewhere.
    private static void Harden(
        SocketsHttpHandler handler,
        KubernetesClientConfiguration config,
        X509Certificate2Collection? authorities
    )
    {
        handler.AllowAutoRedirect = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        if (config.SkipTlsVerify)
        {
            // The operator's own word, in the kubeconfig.
#pragma warning disable CA5359
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            return;
        }
        handler.SslOptions.RemoteCertificateValidationCallback = null;
        if (authorities is null)
        {
            return;
        }
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(authorities);
        handler.SslOptions.CertificateChainPolicy = policy;
    }

    private static KubernetesClientConfiguration Config(string? kubeConfig) =>
        kubeConfig is null
            ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeConfig);

    private static X509Certificate2Collection Authorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
