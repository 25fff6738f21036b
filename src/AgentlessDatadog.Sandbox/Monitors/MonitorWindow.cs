using System.Globalization;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>How far back a monitor looks: a length, or to the beginning of the hour, day or month that is now.</summary>
/// <param name="Length">The length; the longest that the other kind may be.</param>
/// <param name="Current"><c>1h</c>, <c>1d</c> or <c>1mo</c> for the other kind, else null.</param>
internal sealed record MonitorWindow(TimeSpan Length, string? Current)
{
    private const string Last = "last_";
    private const int MaxMinutes = 7 * 24 * 60;

    /// <summary><c>last_5m</c> or <c>current_1d</c>; null for what is neither.</summary>
    public static MonitorWindow? Parse(string word) =>
        word switch
        {
            "current_1h" => new MonitorWindow(TimeSpan.FromHours(1), "1h"),
            "current_1d" => new MonitorWindow(TimeSpan.FromDays(1), "1d"),
            "current_1mo" => new MonitorWindow(TimeSpan.FromDays(31), "1mo"),
            _ => LengthOf(word) is { } length ? new MonitorWindow(length, null) : null,
        };

    /// <summary>The first moment that it looks at.</summary>
    public DateTimeOffset StartAt(DateTimeOffset now) =>
        Current switch
        {
            "1h" => new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero),
            "1d" => new DateTimeOffset(now.Year, now.Month, now.Day, 0, 0, 0, TimeSpan.Zero),
            "1mo" => new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero),
            _ => now - Length,
        };

    private static TimeSpan? LengthOf(string word)
    {
        if (
            word.Length < Last.Length + 2
            || !word.StartsWith(Last, StringComparison.Ordinal)
            || !int.TryParse(word[Last.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count is < 1 or > MaxMinutes
        )
        {
            return null;
        }
        TimeSpan? length = word[^1] switch
        {
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            'w' => TimeSpan.FromDays(7.0 * count),
            _ => null,
        };
        return length <= TimeSpan.FromMinutes(MaxMinutes) ? length : null;
    }
}
