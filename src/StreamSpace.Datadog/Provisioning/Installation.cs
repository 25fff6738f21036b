using AgentlessDatadog.Signals;
using StreamSpace.Datadog.Config;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>What the assets of one installation have of its own; two in one organisation are told apart by their cluster.</summary>
internal sealed record Installation
{
    private const string ClusterKey = "cluster";

    /// <summary>What a config that says nothing of it has.</summary>
    public static readonly Installation Standard = new();

    /// <summary>The value of its tag cluster, as Datadog keeps it, or null when it has none.</summary>
    public string? Cluster { get; init; }

    /// <summary>The service that its series belong to.</summary>
    public string Service { get; init; } = "streamspace";

    /// <summary>Handles that its monitors tell; empty for none.</summary>
    public string Notify { get; init; } = "";

    /// <summary>Keys of the tags that are on everything.</summary>
    public IReadOnlyList<string> TagKeys { get; init; } = ["env"];

    /// <summary>Whether distributions by template take the place of gauges by session.</summary>
    public bool UsesDistributions { get; init; }

    /// <summary>What chooses its series, as in <c>*</c>.</summary>
    public string Scope => Cluster is null ? "*" : $"{ClusterKey}:{Cluster}";

    /// <summary>Its name behind that of an asset; empty where there is one installation alone.</summary>
    public string Suffix => Cluster is null ? "" : $" · {Cluster}";

    public static Installation Of(DatadogConfig config)
    {
        return new Installation
        {
            Cluster = config.ValueOf(ClusterKey),
            Service = config.Service,
            Notify = config.Notify ?? "",
            UsesDistributions = config.UseDistributions,
            TagKeys = [.. TagSet.Of(config.GlobalTags).Select(tag => tag.Split(':', 2)[0]).Distinct()],
        };
    }
}
