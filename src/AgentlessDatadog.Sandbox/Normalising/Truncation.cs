namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>How every text that is too long is shortened.</summary>
internal static class Truncation
{
    /// <summary>The beginning of a text, of at most <paramref name="max"/> UTF-16 units and no half a character.</summary>
    public static string Truncate(this string text, int max) =>
        text.Length <= max ? text : text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];
}
