using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamSpace.Platform.Sources;

/// <summary>
/// Reads times in RFC 3339 and nothing else: a date, a time to the second or finer, and an offset. Without one of the three a
/// text would be another time elsewhere, or tomorrow (docs/reference/streamspace.md §4.2).
/// </summary>
internal static partial class Rfc3339
{
    private const int TickDigits = 7;

    /// <summary>The time in UTC, cut off to 100 ns. False when <paramref name="text"/> is not such a time.</summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        var parts = Form().Match(text);
        var fraction = parts.Groups["fraction"].ValueSpan;
        time = default;
        return parts.Success
            && DateTimeOffset.TryParseExact(
                string.Concat(
                    parts.Groups["second"].ValueSpan,
                    fraction[..Math.Min(fraction.Length, 1 + TickDigits)],
                    parts.Groups["offset"].ValueSpan
                ),
                "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AdjustToUniversal,
                out time
            );
    }

    [GeneratedRegex(
        @"\A(?<second>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?<fraction>\.[0-9]+)?(?<offset>Z|[+-][0-9]{2}:[0-9]{2})\z"
    )]
    private static partial Regex Form();
}
