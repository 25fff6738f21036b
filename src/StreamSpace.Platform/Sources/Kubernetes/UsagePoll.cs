using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Measures what sessions use, each interval: CPU and memory from metrics.k8s.io, and storage, when asked for, from
/// each node's kubelet. What is refused silences only itself.
/// </summary>
internal sealed class UsagePoll(
    ClusterClient cluster,
    ClusterViewUpdater updater,
    KubernetesHealth health,
    KubernetesOptions options,
    TimeProvider clock
)
{
    private const int KubeletsAtOnce = 4;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    // Cores of each node whose pods have no limit. A node keeps its size.
    private readonly Dictionary<string, double> _cores = new(StringComparer.Ordinal);

    /// <summary>Goes on until <paramref name="cancellationToken"/> fires, and then throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var interval = options.MetricsInterval();
            await Task.Delay(interval < ShortestInterval ? ShortestInterval : interval, clock, cancellationToken);
            var metrics = await AllMetricsAsync(cancellationToken);
            await LearnCoresAsync(cancellationToken);
            var volumes = options.Storage ? await VolumesAsync(cancellationToken) : [];
            await updater.TakeTurnAsync(
                (view, seen) => seen.AddRange(Usage.Of(view, metrics, volumes, _cores, clock.GetUtcNow())),
                cancellationToken
            );
        }
    }

    private async Task<List<(string Namespace, PodMetrics Metrics)>> AllMetricsAsync(
        CancellationToken cancellationToken
    )
    {
        var all = new List<(string, PodMetrics)>();
        foreach (var @namespace in options.Namespaces)
        {
            try
            {
                var page = await cluster.ReadAsync(
                    ClusterPaths.Metrics(@namespace),
                    KubernetesJson.Default.ListPage,
                    cancellationToken
                );
                all.AddRange((page.Items ?? []).Select(Read).OfType<PodMetrics>().Select(m => (@namespace, m)));
                health.Tell(KubernetesRight.Metrics, @namespace, null);
            }
            catch (ClusterException e)
            {
                health.Tell(KubernetesRight.Metrics, @namespace, e);
            }
        }
        return all;
    }

    private async Task LearnCoresAsync(CancellationToken cancellationToken)
    {
        var unknown = new HashSet<string>(StringComparer.Ordinal);
        await updater.TakeTurnAsync(
            (view, _) =>
                unknown.UnionWith(view.Pods.Where(p => p.CpuLimit is null).Select(p => p.Node).OfType<string>()),
            cancellationToken
        );
        foreach (var node in unknown.Where(n => !_cores.ContainsKey(n)))
        {
            try
            {
                var resource = await cluster.ReadAsync(
                    ClusterPaths.Node(node),
                    KubernetesJson.Default.NodeResource,
                    cancellationToken
                );
                if (Quantity.Read(resource.Status?.Allocatable?.GetValueOrDefault("cpu")) is > 0 and var cores)
                {
                    _cores[node] = cores;
                }
                health.Tell(KubernetesRight.Nodes, "", null);
            }
            catch (ClusterException e)
            {
                // The next node would say the same.
                health.Tell(KubernetesRight.Nodes, "", e);
                return;
            }
        }
    }

    // Bytes used of each claim. Every pod that mounts a claim tells of it.
    private async Task<Dictionary<VolumeClaim, double>> VolumesAsync(CancellationToken cancellationToken)
    {
        var hosts = new HashSet<IPAddress>();
        await updater.TakeTurnAsync(
            (view, _) => hosts.UnionWith(view.Pods.Select(p => p.Host).OfType<IPAddress>()),
            cancellationToken
        );
        var used = new ConcurrentDictionary<VolumeClaim, double>();
        ClusterException? error = null;
        await Parallel.ForEachAsync(
            hosts,
            new ParallelOptions { MaxDegreeOfParallelism = KubeletsAtOnce, CancellationToken = cancellationToken },
            async (host, token) =>
            {
                try
                {
                    var summary = await cluster.ReadSummaryAsync(host, token);
                    foreach (var volume in (summary.Pods ?? []).SelectMany(p => p.Volumes ?? []))
                    {
                        if (volume is { PvcRef: { } claim, UsedBytes: >= 0 and var bytes })
                        {
                            used.AddOrUpdate(claim, bytes, (_, other) => Math.Max(other, bytes));
                        }
                    }
                }
                catch (ClusterException e)
                {
                    error = e;
                }
            }
        );
        if (hosts.Count > 0)
        {
            health.Tell(KubernetesRight.Kubelet, "", error);
        }
        return new Dictionary<VolumeClaim, double>(used);
    }

    private PodMetrics? Read(JsonElement json)
    {
        try
        {
            if (json.Deserialize(KubernetesJson.Default.PodMetrics) is { Metadata.Name: not null } metrics)
            {
                return metrics;
            }
        }
        catch (JsonException) { }
        health.Skipped("unreadable pod metrics");
        return null;
    }
}
