using System.Collections;

namespace StreamSpace.Plugins;

/// <summary>
/// How environment variables are read, whoever asks: white space around a value is no part of it, and an empty one is not
/// set. Names are case-sensitive.
/// </summary>
public static class EnvironmentVariables
{
    /// <summary>Those of this process, as they are now.</summary>
    public static IReadOnlyDictionary<string, string> OfProcess() =>
        Read(
            Environment
                .GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .Select(e => KeyValuePair.Create((string)e.Key, (string?)e.Value ?? ""))
        );

    /// <summary>Reads <paramref name="given"/>; what was read before stays as it is.</summary>
    public static IReadOnlyDictionary<string, string> Read(IEnumerable<KeyValuePair<string, string>> given) =>
        given
            .Select(v => KeyValuePair.Create(v.Key, v.Value.Trim()))
            .Where(v => v.Value.Length > 0)
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>
    /// A warning for each of <paramref name="names"/> whose value stands in quotation marks: some files of variables need
    /// none and pass them on. They may belong to a password, so the value is taken as it is.
    /// </summary>
    public static IReadOnlyList<CheckFinding> InQuotes(
        IReadOnlyDictionary<string, string> environment,
        IEnumerable<string> names
    ) =>
        [
            .. names
                .Where(name => IsQuoted(environment.GetValueOrDefault(name, "")))
                .Select(name => new CheckFinding(
                    name,
                    CheckVerdict.Warning,
                    $"{name} stands in quotation marks, which are taken as part of its value.",
                    "Leave them out."
                )),
        ];

    /// <summary>Whether a value stands in quotation marks, of either kind.</summary>
    public static bool IsQuoted(string value) => value is ['"', .., '"'] or ['\'', .., '\''];
}
