using System.Text.RegularExpressions;

namespace AgentlessDatadog.Signals.Metrics;

/// <summary>What Datadog takes (docs/reference/datadog.md §3.5, §3.7): everything else it drops behind a 202.</summary>
internal static partial class MeasurementRules
{
    /// <summary>Why a measurement can never be sent, or null. Tags are mended, not judged.</summary>
    public static string? Fault(Measurement measurement, DateTimeOffset now)
    {
        if (NameFault(measurement.Metric) is { } name)
            return name;
        if (!Enum.IsDefined(measurement.Type))
            return "type must be gauge, count, rate or distribution";
        if (!double.IsFinite(measurement.Value))
            return "value must be a finite number";
        if (UnitFault(measurement.Unit) is { } unit)
            return unit;
        return measurement.Timestamp is { } at ? TimeFault(measurement.Type, at, now) : null;
    }

    public static string? NameFault(string? metric) =>
        metric is not null && Name().IsMatch(metric)
            ? null
            : "metric must be a letter followed by up to 199 ASCII letters, digits, dots and underscores";

    public static string? UnitFault(string? unit) =>
        unit is null || Unit().IsMatch(unit)
            ? null
            : "unit must be a name from Datadog's list, in lower-case letters, as in byte, second, percent";

    public static string? TagsFault(IReadOnlyList<string> tags)
    {
        if (tags.Count > TagSet.MaxCount)
            return $"{tags.Count} tags are more than {TagSet.MaxCount}";
        for (var i = 0; i < tags.Count; i++)
        {
            var tag = tags[i];
            if (string.IsNullOrEmpty(tag))
                return $"tag {i} is empty";
            if (tag.Length > TagSet.MaxLength)
                return $"tag {i} has {tag.Length} characters, the limit is {TagSet.MaxLength}";
            if (!char.IsLetter(tag, 0))
                return $"tag {i} does not begin with a letter";
        }
        return null;
    }

    private static string? TimeFault(MetricType type, DateTimeOffset at, DateTimeOffset now)
    {
        if (type is MetricType.Count or MetricType.Rate)
            return "timestamp is for gauges and distributions only: counts and rates are booked at the flush";
        if (now - at > Lane.Metrics.MaxAge)
            return "timestamp is more than 1 h old";
        return at - now > Lane.Metrics.MaxAhead ? "timestamp is more than 10 min ahead" : null;
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_.]{0,199}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[a-z][a-z _/-]{0,49}\z")]
    private static partial Regex Unit();
}
