using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning;

/// <summary>What there is at Datadog, in the order in which one needs the other.</summary>
internal enum AssetKind
{
    /// <summary>Unit and description of a metric.</summary>
    Metadata,

    /// <summary>By which tags a distribution has percentiles.</summary>
    Percentiles,

    /// <summary>A service level objective.</summary>
    Slo,

    /// <summary>A monitor.</summary>
    Monitor,

    /// <summary>A dashboard.</summary>
    Dashboard,

    /// <summary>The service in the software catalogue.</summary>
    Entity,
}

/// <summary>One thing that is brought to Datadog.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Key">What it is known by, among those of its kind: never changes.</param>
/// <param name="Name">What a reader sees.</param>
/// <param name="Body">Every field that we set, as Datadog's API takes it.</param>
internal sealed record Asset(AssetKind Kind, string Key, string Name, JsonObject Body);
