using AgentlessDatadog;

namespace StreamSpace.Datadog.Mapping;

/// <summary>What there is to say about a metric: the one place from which it is sent, described to Datadog, charted and documented.</summary>
/// <param name="Name">Its name at Datadog.</param>
/// <param name="Type">What becomes of its values; never changes.</param>
/// <param name="Unit">From Datadog's closed list (docs/reference/datadog.md §3.8), or null for none.</param>
/// <param name="Tags">Keys of the tags that it has beside those on everything.</param>
/// <param name="Description">One sentence for whoever charts it, at most 400 characters.</param>
internal sealed record MetricDefinition(
    string Name,
    MetricType Type,
    string? Unit,
    IReadOnlyList<string> Tags,
    string Description
)
{
    /// <summary>The same measure as a distribution: another name, so that no metric ever changes its type.</summary>
    public MetricDefinition AsDistribution =>
        new($"{Name}.dist", MetricType.Distribution, Unit, ["template"], Description);
}
