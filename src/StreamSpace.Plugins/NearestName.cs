namespace StreamSpace.Plugins;

/// <summary>Finds the name that a mistyped one was meant to be.</summary>
public static class NearestName
{
    /// <summary>
    /// The known name with the fewest edits from <paramref name="name"/>, letter case ignored: a letter more, less or another,
    /// or two neighbours that changed places. Null when that takes more than a third as many edits as it has letters.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        string? nearest = null;
        var fewest = (name.Length / 3) + 1;
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

    // Optimal string alignment over three rows.
    private static int Edits(string from, string to)
    {
        var (last, previous, current) = (new int[to.Length + 1], new int[to.Length + 1], new int[to.Length + 1]);
        for (var j = 0; j <= to.Length; j++)
        {
            previous[j] = j;
        }
        for (var i = 1; i <= from.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var edited = Math.Min(current[j - 1], previous[j]) + 1;
                current[j] = Math.Min(edited, previous[j - 1] + (Same(i, j) ? 0 : 1));
                if (i > 1 && j > 1 && Same(i, j - 1) && Same(i - 1, j))
                {
                    current[j] = Math.Min(current[j], last[j - 2] + 1);
                }
            }
            (last, previous, current) = (previous, current, last);
        }
        return previous[to.Length];

        bool Same(int i, int j) => char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
    }
}
