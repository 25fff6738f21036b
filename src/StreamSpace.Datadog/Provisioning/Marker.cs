namespace StreamSpace.Datadog.Provisioning;

/// <summary>
/// By which an asset is found again, whatever became of its name: tags where Datadog lets there be any, else the last line of
/// the description (docs/reference/datadog.md §8.2).
/// </summary>
internal static class Marker
{
    /// <summary>On all of ours.</summary>
    public const string ManagedBy = "managed-by:streamspace-datadog";

    /// <summary>The tags of an asset.</summary>
    public static string[] Tags(string key, Installation installation) =>
        installation.Cluster is { } cluster
            ? [ManagedBy, $"streamspace-key:{key}", $"cluster:{cluster}"]
            : [ManagedBy, $"streamspace-key:{key}"];

    /// <summary>The same as one line.</summary>
    public static string Line(string key, Installation installation) => string.Join(' ', Tags(key, installation));

    /// <summary>Whether <paramref name="tags"/> are those of the asset: of one without a cluster, not those of one that has one.</summary>
    public static bool IsOn(IReadOnlyCollection<string> tags, string key, Installation installation)
    {
        var ours = Tags(key, installation);
        return ours.All(tags.Contains)
            && !tags.Any(t => t.StartsWith("cluster:", StringComparison.Ordinal) && !ours.Contains(t));
    }
}
