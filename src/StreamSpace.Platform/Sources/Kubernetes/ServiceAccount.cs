using System.Globalization;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>The service account of the pod that we run in, as the kubelet lays it there and renews it.</summary>
/// <param name="Address">Of the API server.</param>
/// <param name="Folder">Holds <c>token</c>, <c>ca.crt</c> and <c>namespace</c>.</param>
public sealed record ServiceAccount(Uri Address, string Folder)
{
    /// <summary>Where every cluster lays it.</summary>
    public const string Mounted = "/var/run/secrets/kubernetes.io/serviceaccount";

    internal string TokenFile => Path.Combine(Folder, "token");

    internal string AuthorityFile => Path.Combine(Folder, "ca.crt");

    /// <summary>The namespace that we run in, or null when nothing tells.</summary>
    internal string? Namespace =>
        Path.Combine(Folder, "namespace") is var file && File.Exists(file) ? File.ReadAllText(file).Trim() : null;

    /// <summary>Null when we do not run in a cluster.</summary>
    /// <param name="variable">Gives the value of an environment variable, or null.</param>
    /// <param name="folder">Where it is laid.</param>
    public static ServiceAccount? Find(Func<string, string?> variable, string folder = Mounted) =>
        variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 } host
        && int.TryParse(variable("KUBERNETES_SERVICE_PORT"), CultureInfo.InvariantCulture, out var port)
        && new ServiceAccount(new UriBuilder(Uri.UriSchemeHttps, host, port).Uri, folder) is var account
        && File.Exists(account.TokenFile)
        && File.Exists(account.AuthorityFile)
            ? account
            : null;
}
