namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Where the API server has what we read.</summary>
internal static class ClusterPaths
{
    /// <summary>As a parameter: the pods and deployments of sessions.</summary>
    public static readonly string OfSessions = $"labelSelector={Uri.EscapeDataString(PodSnapshot.Selector)}";

    public const string Version = "/version";

    public static string Sessions(string @namespace) => $"/apis/stream.space/v1alpha1/namespaces/{@namespace}/sessions";

    public static string Deployments(string @namespace) => $"/apis/apps/v1/namespaces/{@namespace}/deployments";

    public static string Pods(string @namespace) => $"/api/v1/namespaces/{@namespace}/pods";

    public static string Metrics(string @namespace) =>
        $"/apis/metrics.k8s.io/v1beta1/namespaces/{@namespace}/pods?{OfSessions}";

    public static string Node(string name) => $"/api/v1/nodes/{Uri.EscapeDataString(name)}";
}
