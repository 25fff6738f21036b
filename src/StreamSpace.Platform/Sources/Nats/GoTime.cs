using System.Globalization;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>Reads times as Go writes them: RFC 3339 with up to nine fraction digits and any offset (docs/reference/streamspace.md §4.2).</summary>
internal static class GoTime
{
    private const int WholeSeconds = 19;
    private const int TickDigits = 7;

    /// <summary>The time in UTC, cut off to 100 ns. False when <paramref name="text"/> is not such a time.</summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        if (
            text.Length <= WholeSeconds
            || text[WholeSeconds..].AsSpan().IndexOfAny('Z', '+', '-') is not (>= 0 and var zone)
        )
        {
            return false;
        }
        var fraction = text.AsSpan(WholeSeconds, zone);
        var kept = fraction[..Math.Min(fraction.Length, 1 + TickDigits)];
        if (fraction.Length == 1 || fraction[kept.Length..].ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }
        return DateTimeOffset.TryParseExact(
            string.Concat(text.AsSpan(0, WholeSeconds), kept, text.AsSpan(WholeSeconds + zone)),
            "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AdjustToUniversal,
            out time
        );
    }
}
