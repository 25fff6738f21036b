using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>A place in a query's text, and the words around it.</summary>
internal sealed class QueryCursor(string text)
{
    public int Position { get; private set; }

    public bool AtEnd => Position == text.Length;

    public string Slice(int from) => text[from..Position];

    public void SkipBlanks() => _ = TakeWhile(char.IsWhiteSpace);

    public bool TryTake(char c)
    {
        if (AtEnd || text[Position] != c)
        {
            return false;
        }
        Position++;
        return true;
    }

    /// <summary>Takes a whole word in any case, blanks before it too; takes nothing when it is not there.</summary>
    public bool TryTakeWord(string word)
    {
        var start = Position;
        SkipBlanks();
        if (TakeWhile(char.IsLetter).Equals(word, StringComparison.OrdinalIgnoreCase) && !AtTagCharacter())
        {
            return true;
        }
        Position = start;
        return false;
    }

    public string TakeWhile(Func<char, bool> condition)
    {
        var start = Position;
        while (!AtEnd && condition(text[Position]))
        {
            Position++;
        }
        return text[start..Position];
    }

    public void Take(char c, string where)
    {
        SkipBlanks();
        if (!TryTake(c))
        {
            throw Error($"expected {c} {where}");
        }
    }

    /// <summary>An error that names this place.</summary>
    public ApiError Error(string message) =>
        ApiError.BadRequest($"Error parsing query: {message}, at character {Position + 1}");

    // "OR" begins a word in {or:1}: there it is a tag's key.
    private bool AtTagCharacter() =>
        !AtEnd && (char.IsLetterOrDigit(text[Position]) || "_-:./*".Contains(text[Position]));
}
