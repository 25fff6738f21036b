namespace StreamSpace.Plugins;

/// <summary>Finds the name that a mistyped one was meant to be.</summary>
public static class NearestName
{
    /// <summary>
    /// The known name with the fewest single-letter edits from <paramref name="name"/>, letter case ignored;
    /// null when more than half of its letters would have to change.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        string? nearest = null;
        var fewest = (name.Length / 2) + 1;
        foreach (var candidate in known)
        {
            // What differs more in length alone need not be compared.
            if (
                Math.Abs(name.Length - candidate.Length) < fewest
                && Edits(name, candidate) is var edits
                && edits < fewest
            )
            {
                (nearest, fewest) = (candidate, edits);
            }
        }
        return nearest;
    }

    // Levenshtein distance over two rows.
    private static int Edits(string from, string to)
    {
        var previous = new int[to.Length + 1];
        var current = new int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            previous[j] = j;
        }
        for (var i = 1; i <= from.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var same = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (same ? 0 : 1));
            }
            (previous, current) = (current, previous);
        }
        return previous[to.Length];
    }
}
