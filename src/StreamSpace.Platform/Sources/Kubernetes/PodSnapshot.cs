using System.Net;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>A pod of a session.</summary>
/// <param name="Uid">Its own.</param>
/// <param name="Name">Its name.</param>
/// <param name="Owner">Whose it is, by its labels.</param>
/// <param name="SessionId">The session that it is labelled with; others of its owner may share it.</param>
/// <param name="ReadySince">When it became ready; null when it is not, or goes away.</param>
/// <param name="Node">The name of its node, or null.</param>
/// <param name="Host">The address of its node, or null.</param>
/// <param name="CpuLimit">Cores that the session's container may use: its limit, else its request, else null.</param>
internal sealed record PodSnapshot(
    string Uid,
    string Name,
    Owner Owner,
    string? SessionId,
    DateTimeOffset? ReadySince,
    string? Node,
    IPAddress? Host,
    double? CpuLimit
)
{
    /// <summary>The label that the pods of all sessions have (docs/reference/streamspace.md §3.3).</summary>
    public const string Selector = "app=streamspace-session";

    /// <summary>The container of a pod that is the session.</summary>
    public const string SessionContainer = "session";

    /// <summary>Of a resource whose name, uid and creation time are there.</summary>
    public static PodSnapshot Of(string @namespace, PodResource resource)
    {
        var metadata = resource.Metadata;
        var ready = resource.Status?.Conditions?.FirstOrDefault(c => c is { Type: "Ready", Status: "True" });
        var container = resource.Spec?.Containers?.FirstOrDefault(c => c.Name is SessionContainer)?.Resources;
        var limit = Cpu(container?.Limits) ?? Cpu(container?.Requests);
        return new PodSnapshot(
            metadata.Uid!,
            metadata.Name!,
            new Owner(@namespace, metadata.Label("user"), metadata.Label("template")),
            metadata.Label("session"),
            ready is null || metadata.DeletionTimestamp is not null
                ? null
                : ready.LastTransitionTime ?? metadata.CreationTimestamp,
            resource.Spec?.NodeName,
            IPAddress.TryParse(resource.Status?.HostIP, out var host) ? host : null,
            limit > 0 ? limit : null
        );
    }

    private static double? Cpu(IReadOnlyDictionary<string, string>? quantities) =>
        Quantity.Read(quantities?.GetValueOrDefault("cpu"));
}
