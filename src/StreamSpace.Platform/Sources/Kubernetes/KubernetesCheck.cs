using System.Text.Json;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>What came of trying one right.</summary>
/// <param name="Right">What was tried.</param>
/// <param name="Namespace">Where, or null when it is of the whole cluster.</param>
/// <param name="Works">True when all is well, false when not, null when there was nothing to try it on, or for a warning.</param>
/// <param name="Detail">One sentence: what was found.</param>
/// <param name="Fix">One sentence: what to do; null unless something is wrong.</param>
/// <param name="Grant">The YAML that grants the right; null unless it is missing.</param>
public sealed record KubernetesCheckResult(
    KubernetesRight Right,
    string? Namespace,
    bool? Works,
    string Detail,
    string? Fix = null,
    string? Grant = null
);

/// <summary>Tries every right that a <see cref="KubernetesSource"/> with the same options would use.</summary>
public static class KubernetesCheck
{
    /// <summary>
    /// One row for each right, and for each namespace where it is of one; only the first when the cluster cannot be
    /// reached. Never throws for the cluster's errors.
    /// </summary>
    public static async Task<IReadOnlyList<KubernetesCheckResult>> RunAsync(
        KubernetesOptions options,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var cluster = ClusterClient.Open(options, clock);
            var rows = new List<KubernetesCheckResult>();
            if (cluster.Warning is { } warning)
            {
                rows.Add(
                    new KubernetesCheckResult(
                        KubernetesRight.Reach,
                        null,
                        null,
                        warning,
                        "Write the cluster's certificate-authority-data there in its place."
                    )
                );
            }
            await TryAsync(
                options,
                rows,
                KubernetesRight.Reach,
                null,
                () => cluster.ReadAsync(ClusterPaths.Version, KubernetesJson.Default.AnyResource, cancellationToken)
            );
            if (rows[^1].Works is true)
            {
                await TryAllAsync(rows, cluster, options, cancellationToken);
            }
            return rows;
        }
        catch (ClusterException e)
        {
            return [Failed(options, KubernetesRight.Reach, null, e)];
        }
    }

    private static async Task TryAllAsync(
        List<KubernetesCheckResult> rows,
        ClusterClient cluster,
        KubernetesOptions options,
        CancellationToken cancellationToken
    )
    {
        // Any pod of a session tells of a node, and of its kubelet.
        PodSnapshot? pod = null;
        foreach (var name in options.Namespaces)
        {
            var sessions = ClusterPaths.Sessions(name);
            var deployments = ClusterPaths.Deployments(name);
            var pods = ClusterPaths.Pods(name);
            await TryAsync(options, rows, KubernetesRight.ListSessions, name, () => ListAsync($"{sessions}?limit=1"));
            await TryAsync(options, rows, KubernetesRight.WatchSessions, name, () => WatchAsync(sessions));
            await TryAsync(
                options,
                rows,
                KubernetesRight.Deployments,
                name,
                async () =>
                {
                    await ListAsync($"{deployments}?limit=1&{ClusterPaths.OfSessions}");
                    await WatchAsync(deployments);
                }
            );
            await TryAsync(
                options,
                rows,
                KubernetesRight.Pods,
                name,
                async () =>
                {
                    pod ??= First(name, await ListAsync($"{pods}?limit=1&{ClusterPaths.OfSessions}"));
                    await WatchAsync(pods);
                }
            );
            await TryAsync(options, rows, KubernetesRight.Metrics, name, () => ListAsync(ClusterPaths.Metrics(name)));
        }
        await TryAsync(
            options,
            rows,
            KubernetesRight.Nodes,
            null,
            pod?.Node is { } node
                ? () =>
                    cluster.ReadAsync(ClusterPaths.Node(node), KubernetesJson.Default.NodeResource, cancellationToken)
                : null
        );
        if (options.Storage)
        {
            await TryAsync(
                options,
                rows,
                KubernetesRight.Kubelet,
                null,
                pod?.Host is { } host ? () => cluster.ReadSummaryAsync(host, cancellationToken) : null
            );
        }

        Task<ListPage> ListAsync(string path) =>
            cluster.ReadAsync(path, KubernetesJson.Default.ListPage, cancellationToken);

        async Task WatchAsync(string path)
        {
            await using var stream = await cluster.WatchAsync($"{path}?watch=1&timeoutSeconds=1", cancellationToken);
        }
    }

    private static PodSnapshot? First(string @namespace, ListPage page) =>
        page.Items is [var first, ..]
        && first.Deserialize(KubernetesJson.Default.PodResource) is { Metadata: { Name: not null, Uid: not null } } pod
            ? PodSnapshot.Of(@namespace, pod)
            : null;

    private static async Task TryAsync(
        KubernetesOptions options,
        List<KubernetesCheckResult> rows,
        KubernetesRight right,
        string? @namespace,
        Func<Task>? attempt
    )
    {
        if (attempt is null)
        {
            rows.Add(
                new KubernetesCheckResult(
                    right,
                    @namespace,
                    null,
                    "Not tried: no pod of a session is seen.",
                    "Start a session, and check again."
                )
            );
            return;
        }
        try
        {
            await attempt();
            rows.Add(new KubernetesCheckResult(right, @namespace, true, "Works."));
        }
        catch (Exception e) when (e is ClusterException or JsonException)
        {
            rows.Add(Failed(options, right, @namespace, ClusterException.From(e)));
        }
    }

    private static KubernetesCheckResult Failed(
        KubernetesOptions options,
        KubernetesRight right,
        string? @namespace,
        ClusterException error
    ) =>
        new(
            right,
            @namespace,
            false,
            error.Message,
            KubernetesGrants.Fix(right, error),
            KubernetesGrants.Yaml(right, error, @namespace, options.Home)
        );
}
