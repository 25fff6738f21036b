using System.Globalization;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// What a change of tags does to charts. Datadog knows a series by its tags: those of before end, and others begin. Where one
/// time bucket of a chart holds points of both, a sum over series has everything twice, and nobody can take the old ones back.
/// </summary>
internal static class TagChange
{
    /// <summary>One finding for each key that made other series of the same metrics; none when no key did.</summary>
    public static IReadOnlyList<CheckFinding> Between(DatadogConfig before, DatadogConfig after, DateTimeOffset at)
    {
        (string Key, bool IsOther)[] keys =
        [
            ("globalTags", !WithoutCluster(before).SequenceEqual(WithoutCluster(after))),
            ("cluster", before.Cluster != after.Cluster),
            ("userTag", before.UserTag != after.UserTag),
            ("sessionTagOnDuration", before.SessionTagOnDuration != after.SessionTagOnDuration),
        ];
        var time = at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        return
        [
            .. keys.Where(key => key.IsOther)
                .Select(key => new CheckFinding(
                    key.Key,
                    CheckVerdict.Good,
                    $"{key.Key} has made other series of the same metrics: those of before end at {time} UTC. Where one time "
                        + "bucket of a chart holds both, sum: counts them twice, in that bucket alone.",
                    "For a chart of that time filter by a tag that only the new ones have, or use max: or avg:."
                )),
        ];
    }

    private static IEnumerable<string> WithoutCluster(DatadogConfig config) =>
        config.GlobalTags.Where(tag => tag != $"cluster:{config.Cluster}");
}
