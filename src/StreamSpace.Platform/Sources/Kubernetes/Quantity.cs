using System.Globalization;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Reads Kubernetes quantities such as <c>250m</c>, <c>1234567n</c>, <c>1.5Gi</c> and <c>1e3</c>. The client library's
/// own type reckons exactly, and so for a very long time over <c>1e999999999</c>.
/// </summary>
internal static class Quantity
{
    private const int Longest = 64;

    private static readonly Dictionary<string, double> Suffixes = new(StringComparer.Ordinal)
    {
        ["n"] = 1e-9,
        ["u"] = 1e-6,
        ["m"] = 1e-3,
        [""] = 1,
        ["k"] = 1e3,
        ["M"] = 1e6,
        ["G"] = 1e9,
        ["T"] = 1e12,
        ["P"] = 1e15,
        ["E"] = 1e18,
        ["Ki"] = 1024,
        ["Mi"] = 1048576,
        ["Gi"] = 1073741824,
        ["Ti"] = 1099511627776,
        ["Pi"] = 1125899906842624,
        ["Ei"] = 1152921504606846976,
    };

    /// <summary>The quantity in its base unit (cores, bytes), zero or more; null when it is none.</summary>
    public static double? Read(string? text)
    {
        if (text is null or { Length: > Longest })
        {
            return null;
        }
        var digits = text.Length;
        while (digits > 0 && char.IsAsciiLetter(text[digits - 1]))
        {
            digits--;
        }
        const NumberStyles number =
            NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign;
        return
            Suffixes.TryGetValue(text[digits..], out var factor)
            && double.TryParse(text.AsSpan(0, digits), number, CultureInfo.InvariantCulture, out var value)
            && value >= 0
            && double.IsFinite(value * factor)
            ? value * factor
            : null;
    }
}
