namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>A text in which <c>*</c> stands for any number of characters.</summary>
internal sealed class WildcardPattern(string pattern, StringComparison comparison)
{
    private readonly string[] _parts = pattern.Split('*');

    /// <summary>The first part at the start, the last at the end, the others in their order between.</summary>
    public bool Fits(ReadOnlySpan<char> text)
    {
        if (_parts.Length == 1)
        {
            return text.Equals(_parts[0], comparison);
        }
        var first = _parts[0];
        var last = _parts[^1];
        if (
            text.Length < first.Length + last.Length
            || !text.StartsWith(first, comparison)
            || !text.EndsWith(last, comparison)
        )
        {
            return false;
        }
        var rest = text[first.Length..^last.Length];
        foreach (var part in _parts.AsSpan(1..^1))
        {
            var at = rest.IndexOf(part, comparison);
            if (at < 0)
            {
                return false;
            }
            rest = rest[(at + part.Length)..];
        }
        return true;
    }
}
