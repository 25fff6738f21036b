using System.Text.RegularExpressions;

namespace AgentlessDatadog.Signals.Metrics;

/// <summary>What Datadog takes (docs/reference/datadog.md §3.5, §3.7): everything else it drops behind a 202.</summary>
internal static partial class MeasurementRules
{
    /// <summary>Why a measurement can never be sent, or null. Tags are mended, not judged.</summary>
    public static string? Error(Measurement measurement, DateTimeOffset now) =>
        NameError(measurement.Metric)
        ?? TypeError(measurement.Type)
        ?? ValueError(measurement.Value)
        ?? UnitError(measurement.Unit)
        ?? TimeError(measurement, now);

    /// <summary>Every reason why Datadog would not take a measurement as it is, in one line; null when there is none.</summary>
    /// <param name="measurement">The measurement, its tags judged as well.</param>
    /// <param name="typeError">Why its name cannot be used with its type, or null.</param>
    /// <param name="now">By Datadog's clock.</param>
    public static string? Errors(Measurement measurement, string? typeError, DateTimeOffset now)
    {
        if (Error(measurement, now) is null && typeError is null && !TagErrors(measurement.Tags).Any())
        {
            return null;
        }

        string?[] errors =
        [
            NameError(measurement.Metric),
            TypeError(measurement.Type) ?? typeError,
            ValueError(measurement.Value),
            UnitError(measurement.Unit),
            TimeError(measurement, now),
            .. TagErrors(measurement.Tags),
        ];
        return string.Join("; ", errors.OfType<string>());
    }

    public static string? TypeError(MetricType type) =>
        Enum.IsDefined(type) ? null : "type must be gauge, count, rate or distribution";

    public static string? ValueError(double value) => double.IsFinite(value) ? null : "value must be a finite number";

    public static string? NameError(string? metric) =>
        metric is not null && Name().IsMatch(metric)
            ? null
            : "metric must be a letter followed by up to 199 ASCII letters, digits, dots and underscores";

    public static string? UnitError(string? unit) =>
        unit is null || Unit().IsMatch(unit)
            ? null
            : "unit must be a name from Datadog's list, in lower-case letters, as in byte, second, percent";

    private static IEnumerable<string> TagErrors(IReadOnlyList<string> tags)
    {
        if (tags.Count > TagSet.MaxCount)
        {
            yield return $"{tags.Count} tags are more than {TagSet.MaxCount}";
            yield break;
        }
        for (var i = 0; i < tags.Count; i++)
        {
            if (TagError(tags[i]) is { } error)
            {
                yield return $"tag {i} {error}";
            }
        }
    }

    private static string? TagError(string tag) =>
        string.IsNullOrEmpty(tag) ? "is empty"
        : tag.Length > TagSet.MaxLength ? $"has {tag.Length} characters, the limit is {TagSet.MaxLength}"
        : !char.IsLetter(tag, 0) ? "does not begin with a letter"
        : null;

    private static string? TimeError(Measurement measurement, DateTimeOffset now)
    {
        if (measurement.Timestamp is not { } at)
        {
            return null;
        }

        if (measurement.Type is MetricType.Count or MetricType.Rate)
        {
            return "timestamp is for gauges and distributions only: counts and rates are booked at the flush";
        }

        if (now - at > Lane.Metrics.MaxAge)
        {
            return "timestamp is more than 1 h old";
        }

        return at - now > Lane.Metrics.MaxAhead ? "timestamp is more than 10 min ahead" : null;
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_.]{0,199}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[a-z][a-z _/-]{0,49}\z")]
    private static partial Regex Unit();
}
