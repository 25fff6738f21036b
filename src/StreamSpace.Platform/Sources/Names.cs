namespace StreamSpace.Platform.Sources;

/// <summary>
/// How long a name may be that a source takes: of a session, a user, a template. It is the bound of StreamSpace's own
/// columns. A longer one is taken for none, and never cut: what is left of it could be another's name.
/// </summary>
internal static class Names
{
    /// <summary>Characters.</summary>
    public const int Longest = 255;

    /// <summary>The name; null for an empty one, and for one that is too long.</summary>
    public static string? Of(string? text) => text is { Length: > 0 and <= Longest } ? text : null;
}
