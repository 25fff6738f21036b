using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Assets;

/// <summary>By which tags a metric can be asked, and whether for its percentiles (docs/reference/datadog.md §8.5).</summary>
/// <param name="MetricType">What the metric is configured as.</param>
/// <param name="Tags">Keys of tags, in any case.</param>
/// <param name="Excludes">True when all tags but those can be asked for.</param>
/// <param name="HasPercentiles">True when percentiles are reckoned.</param>
internal sealed record TagConfiguration(
    string MetricType,
    IReadOnlySet<string> Tags,
    bool Excludes,
    bool HasPercentiles
)
{
    /// <summary>What is configured by the asset of a metric.</summary>
    public static TagConfiguration Of(Asset asset)
    {
        var attributes = asset.Body.GetProperty("attributes");
        return new TagConfiguration(
            attributes.TextOf("metric_type")!,
            attributes.TextsOf("tags").ToHashSet(StringComparer.OrdinalIgnoreCase),
            attributes.Has("exclude_tags_mode", JsonValueKind.True, out _),
            attributes.Has("include_percentiles", JsonValueKind.True, out _)
        );
    }

    /// <summary>True when a tag, <c>key:value</c> or a word alone, can be asked for.</summary>
    public bool Shows(string tag)
    {
        var colon = tag.IndexOf(':', StringComparison.Ordinal);
        var key = colon < 0 ? tag : tag[..colon];
        return Tags.Contains(key) != Excludes;
    }
}
