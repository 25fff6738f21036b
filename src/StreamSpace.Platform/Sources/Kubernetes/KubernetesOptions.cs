using System.Text.RegularExpressions;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Which cluster to watch, and what of it.</summary>
public sealed partial record KubernetesOptions
{
    /// <summary>Path of one kubeconfig, whose current context is used; null for <see cref="ServiceAccount"/>.</summary>
    public string? KubeConfig { get; init; }

    /// <summary>The service account of the pod that we run in; null when we run in none.</summary>
    public ServiceAccount? ServiceAccount { get; init; }

    /// <summary>The namespaces that hold sessions, one or more. A session's name must be unique over all of them.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = ["streamspace"];

    /// <summary>How often usage is measured; asked before each look.</summary>
    public Func<TimeSpan> MetricsInterval { get; init; } = () => TimeSpan.FromSeconds(60);

    /// <summary>
    /// True to read the size of home volumes from each node's kubelet, which needs the right <c>nodes/stats</c>.
    /// </summary>
    public bool Storage { get; init; }

    /// <summary>The kubelets' port.</summary>
    public int KubeletPort { get; init; } = 10250;

    /// <summary>
    /// Path of a PEM file with the authorities that signed the kubelets' certificates; null when the cluster's own
    /// did.
    /// </summary>
    public string? KubeletAuthority { get; init; }

    /// <summary>
    /// From <c>KUBECONFIG</c> or, without it, from the pod that we run in; namespaces from <c>NAMESPACE</c>, a list
    /// parted by commas; <see cref="KubeletAuthority"/> from <c>KUBELET_CA_FILE</c>. Null when no cluster is there.
    /// </summary>
    /// <param name="variable">Gives the value of an environment variable, or null.</param>
    /// <exception cref="ArgumentException">
    /// <c>NAMESPACE</c> holds something that is no namespace, or <c>KUBELET_CA_FILE</c> names no file.
    /// </exception>
    public static KubernetesOptions? From(Func<string, string?> variable)
    {
        var kubeConfig = variable("KUBECONFIG") is { Length: > 0 } path ? path : null;
        var account = kubeConfig is null ? ServiceAccount.Find(variable) : null;
        if (kubeConfig is null && account is null)
        {
            return null;
        }
        // Whoever grants nodes/stats asks for storage; without that right its metrics alone are missing.
        var options = new KubernetesOptions
        {
            KubeConfig = kubeConfig,
            ServiceAccount = account,
            Storage = true,
            KubeletAuthority = variable("KUBELET_CA_FILE") is { Length: > 0 } file ? Existing(file) : null,
        };
        return variable("NAMESPACE") is { Length: > 0 } list
            ? options with
            {
                Namespaces = NamespacesOf(list),
            }
            : options;
    }

    /// <summary>The namespace that our service account is in, as far as can be known.</summary>
    internal string Home => ServiceAccount?.Namespace ?? Namespaces[0];

    private static string Existing(string file) =>
        File.Exists(file)
            ? file
            : throw new ArgumentException($"KUBELET_CA_FILE is {file}; there is no such file, or it may not be read.");

    private static List<string> NamespacesOf(string list)
    {
        var names = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        return names.Count > 0 && names.TrueForAll(n => n.Length <= 63 && Label().IsMatch(n))
            ? names
            : throw new ArgumentException(
                $"NAMESPACE is \"{list}\"; it must be namespaces parted by commas: lower-case letters, digits and -."
            );
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex Label();
}
