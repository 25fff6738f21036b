using System.Net;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Says right by right what works of a cluster. Any thread.</summary>
/// <param name="health">What is told.</param>
/// <param name="home">The namespace of our service account.</param>
internal sealed class KubernetesHealth(SourceHealth health, string home)
{
    private int _lists;
    private volatile bool _hasSeenV2;

    /// <summary>The parts without which no session is seen.</summary>
    public static IReadOnlyList<string> Essential(IReadOnlyList<string> namespaces) =>
        [.. namespaces.Select(n => Part(KubernetesRight.WatchSessions, n))];

    /// <summary>True once a session of version 2 was seen.</summary>
    public bool HasSeenV2 => _hasSeenV2;

    /// <summary>True while the sessions of every namespace are watched.</summary>
    public bool IsWatching => health.IsUp;

    /// <summary>True while a list is being seen: before its last page it is not known what is gone.</summary>
    public bool IsListing => Volatile.Read(ref _lists) > 0;

    /// <summary>A list begins to be seen, or has ended.</summary>
    public void Lists(bool begins) => Interlocked.Add(ref _lists, begins ? 1 : -1);

    /// <summary>So many resources were taken in.</summary>
    public void Received(int count) => health.Received(count);

    /// <summary>A resource was skipped.</summary>
    public void Skipped(string kind) => health.Skipped(kind, $"a resource: {kind}");

    /// <summary>
    /// A session of version 2 was seen in one of these namespaces: from now on deployments are as necessary there as resources,
    /// which such a cluster need not know.
    /// </summary>
    public void SawV2(IReadOnlyList<string> namespaces)
    {
        if (_hasSeenV2)
        {
            return;
        }
        _hasSeenV2 = true;
        foreach (var name in namespaces)
        {
            health.Needs(Part(KubernetesRight.Deployments, name));
        }
    }

    /// <summary>A right of ours works (null), or does not.</summary>
    /// <param name="right">Which.</param>
    /// <param name="namespace">Where; empty for one of the whole cluster.</param>
    /// <param name="error">Why it does not.</param>
    public void Tell(KubernetesRight right, string @namespace, ClusterException? error)
    {
        var part = Part(right, @namespace);
        if (error is null || IsWithoutV1(right, error))
        {
            health.Works(part);
            return;
        }
        health.Fails(
            part,
            $"{part}: {error.Message} {KubernetesGrants.Fix(right, error)}",
            KubernetesGrants.Yaml(right, error, @namespace, home)
        );
    }

    // Of version 2 the deployments tell all: a cluster that has no definition of the resources has none of version 1.
    private bool IsWithoutV1(KubernetesRight right, ClusterException error) =>
        _hasSeenV2
        && right is KubernetesRight.ListSessions or KubernetesRight.WatchSessions
        && error.Status is HttpStatusCode.NotFound;

    private static string Part(KubernetesRight right, string @namespace) =>
        right switch
        {
            KubernetesRight.Reach => "Cluster",
            KubernetesRight.ListSessions or KubernetesRight.WatchSessions => $"Sessions in {@namespace}",
            KubernetesRight.Deployments => $"Deployments in {@namespace} (sessions of version 2)",
            KubernetesRight.Pods => $"Pods in {@namespace} (time to ready, CPU limit)",
            KubernetesRight.Metrics => $"Metrics in {@namespace} (CPU, memory)",
            KubernetesRight.Nodes => "Nodes (CPU without a limit)",
            _ => "Kubelets (storage)",
        };
}
