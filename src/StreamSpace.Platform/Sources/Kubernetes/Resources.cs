using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamSpace.Platform.Sources.Kubernetes;

// What is read of Kubernetes' resources, in its own words: only the fields that are used.

/// <summary>A page of a list. Items are read one by one, so that a bad one costs only itself.</summary>
internal sealed record ListPage(ListMeta? Metadata, IReadOnlyList<JsonElement>? Items);

internal sealed record ListMeta(string? ResourceVersion, string? Continue);

/// <summary>One line of a watch.</summary>
internal sealed record WatchLine(string Type, JsonElement Object);

/// <summary>What any resource has, and the <c>Status</c> that stands for a refusal.</summary>
internal sealed record AnyResource(ListMeta? Metadata, int? Code);

internal sealed record ObjectMeta(
    string? Name,
    string? Uid,
    string? ResourceVersion,
    DateTimeOffset? CreationTimestamp,
    DateTimeOffset? DeletionTimestamp,
    IReadOnlyDictionary<string, string>? Labels
)
{
    public string? Label(string name) => Labels?.GetValueOrDefault(name);
}

/// <summary>A session of StreamSpace (docs/reference/streamspace.md §3.1).</summary>
internal sealed record SessionResource(ObjectMeta Metadata, SessionSpec? Spec, SessionStatus? Status);

internal sealed record SessionSpec(string? User, string? Template, string? State);

internal sealed record SessionStatus(string? Phase, IReadOnlyList<Condition>? Conditions);

internal sealed record Condition(
    string Type,
    string Status,
    string? Reason,
    string? Message,
    DateTimeOffset? LastTransitionTime
);

/// <summary>What keeps a session's pods running (docs/reference/streamspace.md §8.3).</summary>
internal sealed record DeploymentResource(ObjectMeta Metadata, DeploymentSpec? Spec, DeploymentStatus? Status);

internal sealed record DeploymentSpec(int? Replicas);

internal sealed record DeploymentStatus(int? ReadyReplicas);

internal sealed record PodResource(ObjectMeta Metadata, PodSpec? Spec, PodStatus? Status);

internal sealed record PodSpec(string? NodeName, IReadOnlyList<Container>? Containers);

internal sealed record Container(string Name, ContainerResources? Resources);

internal sealed record ContainerResources(
    IReadOnlyDictionary<string, string>? Limits,
    IReadOnlyDictionary<string, string>? Requests
);

internal sealed record PodStatus(string? HostIP, IReadOnlyList<Condition>? Conditions);

/// <summary>What a pod uses, as metrics.k8s.io tells.</summary>
internal sealed record PodMetrics(
    MetricsMeta Metadata,
    DateTimeOffset Timestamp,
    IReadOnlyList<ContainerMetrics>? Containers
);

internal sealed record MetricsMeta(string Name, IReadOnlyDictionary<string, string>? Labels);

internal sealed record ContainerMetrics(string Name, IReadOnlyDictionary<string, string>? Usage);

internal sealed record NodeResource(NodeStatus? Status);

internal sealed record NodeStatus(IReadOnlyDictionary<string, string>? Allocatable);

/// <summary>What a kubelet tells under <c>/stats/summary</c>.</summary>
internal sealed record KubeletSummary(IReadOnlyList<KubeletPod>? Pods);

internal sealed record KubeletPod([property: JsonPropertyName("volume")] IReadOnlyList<KubeletVolume>? Volumes);

internal sealed record KubeletVolume(double? UsedBytes, VolumeClaim? PvcRef);

internal sealed record VolumeClaim(string Name, string Namespace);

/// <summary>Reads the above. A field that must be there and is not makes a resource unreadable.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false,
    Converters = [typeof(Rfc3339Converter)]
)]
[JsonSerializable(typeof(ListPage))]
[JsonSerializable(typeof(WatchLine))]
[JsonSerializable(typeof(AnyResource))]
[JsonSerializable(typeof(SessionResource))]
[JsonSerializable(typeof(DeploymentResource))]
[JsonSerializable(typeof(PodResource))]
[JsonSerializable(typeof(PodMetrics))]
[JsonSerializable(typeof(NodeResource))]
[JsonSerializable(typeof(KubeletSummary))]
internal sealed partial class KubernetesJson : JsonSerializerContext;
