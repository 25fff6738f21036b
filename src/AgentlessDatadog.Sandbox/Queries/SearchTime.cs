using System.Globalization;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// The times that a search takes: <c>now</c>, <c>now-15m</c> (s, m, h, d, w), milliseconds since 1970, or ISO 8601.
/// </summary>
internal static class SearchTime
{
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const long MaxMilliseconds = long.MaxValue / NanosecondsPerMillisecond;

    /// <summary>Nanoseconds since 1970.</summary>
    /// <exception cref="ApiError">400: none of these, or out of range.</exception>
    public static long Parse(string text, DateTimeOffset now, string field) =>
        MillisecondsOf(text, now) is { } milliseconds and >= 0 and <= MaxMilliseconds
            ? milliseconds * NanosecondsPerMillisecond
            : throw ApiError.BadRequest($"{field}: give now, now-15m, milliseconds since 1970 or an ISO 8601 time");

    private static long? MillisecondsOf(string text, DateTimeOffset now)
    {
        if (text.StartsWith("now", StringComparison.Ordinal))
        {
            return OffsetOf(text.AsSpan(3)) is { } seconds ? now.ToUnixTimeMilliseconds() + (seconds * 1_000) : null;
        }
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return milliseconds;
        }
        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time.ToUnixTimeMilliseconds()
            : null;
    }

    private static long? OffsetOf(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return 0;
        }
        var unit = text[^1] switch
        {
            's' => 1L,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => 0,
        };
        return
            unit > 0
            && text[0] is '+' or '-'
            && int.TryParse(text[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            ? unit * amount * (text[0] == '-' ? -1 : 1)
            : null;
    }
}
