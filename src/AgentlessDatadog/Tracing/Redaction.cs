using System.Text.RegularExpressions;

namespace AgentlessDatadog.Tracing;

/// <summary>
/// Takes out of statements and addresses what is a value in them: it may be about a person, and there are too many. What is
/// left says what was done, as Datadog's Agent leaves it.
/// </summary>
internal static partial class Redaction
{
    /// <summary>What stands in place of a value.</summary>
    public const string Mark = "?";

    /// <summary>A statement of SQL with <c>?</c> for each text and number in it, and without comments.</summary>
    public static string OfStatement(string statement) =>
        Blanks().Replace(Parts().Replace(statement, WhatIsLeft), " ").Trim();

    /// <summary>An address without a user's name, a password, a query and a fragment.</summary>
    public static string OfAddress(string address)
    {
        var end = address.AsSpan().IndexOfAny('?', '#');
        var kept = end < 0 ? address : $"{address.AsSpan(0, end)}{Mark}";
        return UserInfo().Replace(kept, "$1");
    }

    private static string WhatIsLeft(Match part) =>
        part.Groups["name"].Success ? part.Value
        : part.Groups["comment"].Success ? " "
        : Mark;

    // Texts in every way that PostgreSQL writes them, quotation marks in them doubled, or escaped where E stands before; one
    // that does not end is one to the end. Numbers that are no part of a name, nor a parameter's.
    [GeneratedRegex(
        """
            (?<name>"[^"]*")
            |(?<comment>--[^\r\n]*|/\*(?s:.*?)(?:\*/|\z))
            |\b[eE]'(?:[^'\\]|\\(?s:.)|'')*(?:'|\z)
            |(?:\b[bBnNxX]|\b[uU]&)?'(?:[^']|'')*(?:'|\z)
            |(?<![\w$])\$(?<tag>[A-Za-z_]*)\$(?s:.*?)(?:\$\k<tag>\$|\z)
            |(?<![\w$@:.])[+-]?(?:0[xXoObB][\w]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)(?!\w)
            """,
        RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Parts();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex("^([a-z][a-z0-9+.-]*://)[^/@]*@", RegexOptions.IgnoreCase)]
    private static partial Regex UserInfo();
}
