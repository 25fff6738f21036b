using System.Net;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>What to do about a right that is missing, and the YAML that grants it: read-only, and no more than needed.</summary>
public static class KubernetesGrants
{
    /// <summary>
    /// A role for one namespace that holds sessions. <c>NAMESPACE</c> stands for its name, <c>HOME</c> for that of our
    /// service account.
    /// </summary>
    public const string Sessions = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata:
          name: streamspace-datadog
          namespace: NAMESPACE
        rules:
          - apiGroups: ["stream.space"]
            resources: ["sessions"]
            verbs: ["get", "list", "watch"]
          - apiGroups: ["apps"]
            resources: ["deployments"]
            verbs: ["get", "list", "watch"]
          - apiGroups: [""]
            resources: ["pods"]
            verbs: ["get", "list", "watch"]
          - apiGroups: ["metrics.k8s.io"]
            resources: ["pods"]
            verbs: ["get", "list"]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata:
          name: streamspace-datadog
          namespace: NAMESPACE
        roleRef:
          apiGroup: rbac.authorization.k8s.io
          kind: Role
          name: streamspace-datadog
        subjects:
          - kind: ServiceAccount
            name: streamspace-datadog
            namespace: HOME
        """;

    /// <summary>A role for the nodes: allocatable CPU, and the kubelets' statistics. <c>nodes/proxy</c> is not in it, for it can run commands.</summary>
    public const string Nodes = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata:
          name: streamspace-datadog-nodes
        rules:
          - apiGroups: [""]
            resources: ["nodes"]
            verbs: ["get"]
          - apiGroups: [""]
            resources: ["nodes/stats"]
            verbs: ["get"]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata:
          name: streamspace-datadog-nodes
        roleRef:
          apiGroup: rbac.authorization.k8s.io
          kind: ClusterRole
          name: streamspace-datadog-nodes
        subjects:
          - kind: ServiceAccount
            name: streamspace-datadog
            namespace: HOME
        """;

    /// <summary>The YAML that grants <paramref name="right"/>, or null for one that no YAML grants.</summary>
    /// <param name="right">What is missing.</param>
    /// <param name="namespace">The namespace that holds the sessions; null for a right of the whole cluster.</param>
    /// <param name="home">The namespace of our service account.</param>
    public static string? Yaml(KubernetesRight right, string? @namespace, string home) =>
        right switch
        {
            KubernetesRight.Reach => null,
            KubernetesRight.Nodes or KubernetesRight.Kubelet => Nodes.Replace("HOME", home, StringComparison.Ordinal),
            _ => Sessions
                .Replace("NAMESPACE", @namespace, StringComparison.Ordinal)
                .Replace("HOME", home, StringComparison.Ordinal),
        };

    /// <summary>As the other, and null too when <paramref name="error"/> is none that a grant would mend.</summary>
    internal static string? Yaml(KubernetesRight right, ClusterException error, string? @namespace, string home) =>
        error.Status is HttpStatusCode.Forbidden ? Yaml(right, @namespace, home) : null;

    /// <summary>One sentence: what to do about <paramref name="right"/>.</summary>
    internal static string Fix(KubernetesRight right, ClusterException error) =>
        (right, error.Status) switch
        {
            _ when error.Fix is { } fix => fix,
            (_, HttpStatusCode.Unauthorized) =>
                "Give credentials that the cluster takes; they are read again by itself.",
            (KubernetesRight.ListSessions or KubernetesRight.WatchSessions, HttpStatusCode.Forbidden) =>
                "Grant get, list and watch on sessions of the group stream.space.",
            (KubernetesRight.ListSessions or KubernetesRight.WatchSessions, HttpStatusCode.NotFound) =>
                "Install StreamSpace's resource definitions (stream.space/v1alpha1) there.",
            (KubernetesRight.Deployments, HttpStatusCode.Forbidden) =>
                "Grant get, list and watch on deployments of the group apps.",
            (KubernetesRight.Pods, HttpStatusCode.Forbidden) => "Grant get, list and watch on pods.",
            (KubernetesRight.Metrics, HttpStatusCode.Forbidden) =>
                "Grant get and list on pods of the group metrics.k8s.io.",
            (KubernetesRight.Metrics, HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable) =>
                "Install metrics-server, or see why it is down.",
            (KubernetesRight.Nodes, HttpStatusCode.Forbidden) => "Grant get on nodes.",
            (KubernetesRight.Kubelet, HttpStatusCode.Forbidden) => "Grant get on nodes/stats.",
            (KubernetesRight.Kubelet, null) =>
                "Let us reach port 10250 of the nodes, and give the authority of the kubelets in KUBELET_CA_FILE.",
            (_, null) => "See that the address is right and the API server runs.",
            _ => "See the cluster's own log for why.",
        };
}
