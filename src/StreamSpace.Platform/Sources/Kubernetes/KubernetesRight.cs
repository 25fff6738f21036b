namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>What we need of a cluster; each one that is missing costs only what it is for.</summary>
public enum KubernetesRight
{
    /// <summary>The API server answers, and takes our credentials.</summary>
    Reach,

    /// <summary>List the sessions: everything rests on it.</summary>
    ListSessions,

    /// <summary>Watch the sessions: everything rests on it.</summary>
    WatchSessions,

    /// <summary>List and watch deployments: the sessions of version 2.</summary>
    Deployments,

    /// <summary>List and watch pods: when a session is ready, and what its CPU limit is.</summary>
    Pods,

    /// <summary>Read metrics.k8s.io: CPU and memory.</summary>
    Metrics,

    /// <summary>Read nodes: what a CPU percentage is of, for a session without limit and request.</summary>
    Nodes,

    /// <summary>Read the kubelets' statistics: storage. Asked for only when storage is switched on.</summary>
    Kubelet,
}
