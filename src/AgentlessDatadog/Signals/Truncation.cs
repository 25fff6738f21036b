using System.Globalization;

namespace AgentlessDatadog.Signals;

/// <summary>Cuts texts off where Datadog would.</summary>
internal static class Truncation
{
    /// <summary>The first characters of a text. One beyond the basic plane is two units long and is not torn apart.</summary>
    public static string Cut(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        return text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
    }

    /// <summary>The first characters of a text, with a mark that says how long it was.</summary>
    public static string CutWithMark(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var mark = Mark(text.Length);
        return Cut(text, length - mark.Length) + mark;
    }

    /// <summary>What stands in place of the end of a text of that many characters.</summary>
    public static string Mark(int length) =>
        string.Create(CultureInfo.InvariantCulture, $"… [cut off, it had {length} characters]");
}
