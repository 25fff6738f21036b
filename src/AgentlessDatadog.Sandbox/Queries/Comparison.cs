namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>The six ways in which a value is compared with a number.</summary>
internal static class Comparison
{
    /// <summary>The longer before what they begin with.</summary>
    public static readonly string[] Comparators = ["<=", ">=", "==", "!=", "<", ">"];

    public static bool Holds(double value, string comparator, double bound) =>
        comparator switch
        {
            "<=" => value <= bound,
            ">=" => value >= bound,
            "<" => value < bound,
            ">" => value > bound,
            "!=" => !value.Equals(bound),
            _ => value.Equals(bound),
        };

    /// <summary>Takes one from a text; null, and nothing taken, when there is none.</summary>
    public static string? Take(QueryCursor cursor)
    {
        cursor.SkipBlanks();
        var start = cursor.Position;
        var signs = cursor.TakeWhile(c => c is '<' or '>' or '=' or '!');
        if (Comparators.Contains(signs))
        {
            return signs;
        }
        cursor.Return(start);
        return null;
    }
}
