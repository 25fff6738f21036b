namespace StreamSpace.Datadog.Mapping;

/// <summary>Stretches of time as people say them.</summary>
internal static class Spoken
{
    /// <summary>As in "3 h 12 min", "4 min 5 s" or "6 s".</summary>
    public static string Of(TimeSpan span) =>
        span.TotalHours >= 1 ? $"{(int)span.TotalHours} h {span.Minutes} min"
        : span.TotalMinutes >= 1 ? $"{span.Minutes} min {span.Seconds} s"
        : $"{(int)span.TotalSeconds} s";
}
