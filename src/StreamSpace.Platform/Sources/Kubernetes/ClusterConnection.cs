using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Authentication;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Address, trust and credentials of a cluster as they are when this is made, and the connections that rest on them. The
/// client library brings them.
/// </summary>
internal sealed class ClusterConnection : IDisposable
{
    private readonly k8s.Kubernetes _client;

    /// <summary>Connects to nothing yet.</summary>
    /// <exception cref="ClusterException">The kubeconfig would send its credentials where all can read them.</exception>
    public ClusterConnection(KubernetesOptions options)
    {
        var config = Config(options);
        KeepSecret(config, options.KubeConfig);
        config.FirstMessageHandlerSetup = handler => Harden(handler, config, config.SslCaCerts);
        _client = new k8s.Kubernetes(config);
        Warning = config.SkipTlsVerify
            ? $"The kubeconfig {options.KubeConfig} says insecure-skip-tls-verify: whoever answers in the cluster's place is believed, and is given its credentials."
            : null;
        var kubelets = new SocketsHttpHandler();
        Harden(kubelets, config, options.KubeletAuthority is { } file ? Authorities(file) : config.SslCaCerts);
        Kubelets = new HttpClient(kubelets) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>What an operator should know of how the cluster is trusted, in one sentence; null for nothing.</summary>
    public string? Warning { get; }

    /// <summary>Where the API server is.</summary>
    public Uri Address => _client.BaseUri;

    /// <summary>Reaches the API server.</summary>
    public HttpClient Api => _client.HttpClient;

    /// <summary>Reaches kubelets.</summary>
    public HttpClient Kubelets { get; }

    /// <summary>Adds our credentials.</summary>
    public Task SignAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _client.Credentials?.ProcessHttpRequestAsync(request, cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        Kubelets.Dispose();
    }

    private static KubernetesClientConfiguration Config(KubernetesOptions options) =>
        options switch
        {
            { KubeConfig: { } file } => KubernetesClientConfiguration.BuildConfigFromConfigFile(file),
            // As the library does it, which knows only one folder.
            { ServiceAccount: { } account } => new KubernetesClientConfiguration
            {
                Host = account.Address.AbsoluteUri,
                SslCaCerts = Authorities(account.AuthorityFile),
                TokenProvider = new TokenFileAuth(account.TokenFile),
            },
            _ => throw new InvalidOperationException("Neither a kubeconfig nor a service account is given."),
        };

    // Plain http shows a token to everyone on the way, and lets any of them answer in the cluster's place.
    private static void KeepSecret(KubernetesClientConfiguration config, string? kubeConfig)
    {
        var signs = config is { AccessToken.Length: > 0 } or { Password.Length: > 0 } or { TokenProvider: not null };
        var address = new Uri(config.Host);
        if (signs && address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
        {
            throw new ClusterException(
                $"The kubeconfig {kubeConfig} names {address.Scheme}://{address.Authority} and credentials for it, which anyone "
                    + "on the way could read: they are sent over https, or to this machine itself. Write https there."
            )
            {
                Fix = ClusterException.MendAndWait,
            };
        }
    }

    // The library's own check passes over a wrong name once it has an authority; the platform's does not. A redirect
    // would carry our token elsewhere.
    private static void Harden(
        SocketsHttpHandler handler,
        KubernetesClientConfiguration config,
        X509Certificate2Collection? authorities
    )
    {
        handler.AllowAutoRedirect = false;
        // Of https a proxy sees nothing; of http to this machine, all.
        handler.UseProxy = new Uri(config.Host).Scheme == Uri.UriSchemeHttps;
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

    private static X509Certificate2Collection Authorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
