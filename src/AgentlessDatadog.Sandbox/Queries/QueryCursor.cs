using System.Globalization;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>A place in a query's text, and the words around it.</summary>
internal sealed class QueryCursor
{
    /// <summary>How many characters a query may have.</summary>
    private const int MaxLength = 4_000;

    private readonly string _text;

    /// <exception cref="ApiError">400: the text is too long.</exception>
    public QueryCursor(string text)
    {
        RequireLength(text.Length);
        _text = text;
    }

    public int Position { get; private set; }

    public bool AtEnd => Position == _text.Length;

    public string Slice(int from) => _text[from..Position];

    public bool IsAt(char c) => !AtEnd && _text[Position] == c;

    public bool IsAtBlank() => !AtEnd && char.IsWhiteSpace(_text[Position]);

    /// <summary>True before a whole word, in any case; it is not taken.</summary>
    public bool IsAtWord(string word)
    {
        var start = Position;
        var isThere = TryTakeWord(word);
        Position = start;
        return isThere;
    }

    /// <summary>Goes back to a place.</summary>
    public void Return(int position) => Position = position;

    /// <exception cref="ApiError">400: there is nothing left.</exception>
    public char TakeOne(string otherwise) => AtEnd ? throw Error(otherwise) : _text[Position++];

    public void SkipBlanks() => _ = TakeWhile(char.IsWhiteSpace);

    public bool TryTake(char c)
    {
        if (AtEnd || _text[Position] != c)
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
        while (!AtEnd && condition(_text[Position]))
        {
            Position++;
        }
        return _text[start..Position];
    }

    public void Take(char c, string where)
    {
        SkipBlanks();
        if (!TryTake(c))
        {
            throw Error($"expected {c} {where}");
        }
    }

    /// <summary>A decimal number, blanks before it too; null, and nothing taken, when there is none.</summary>
    public double? TakeNumber()
    {
        var start = Position;
        SkipBlanks();
        var first = Position;
        _ = TryTake('-') || TryTake('+');
        TakeWhile(c => char.IsAsciiDigit(c) || c == '.');
        if (TryTake('e') || TryTake('E'))
        {
            _ = TryTake('-') || TryTake('+');
            TakeWhile(char.IsAsciiDigit);
        }
        if (
            double.TryParse(Slice(first), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
        )
        {
            return number;
        }
        Position = start;
        return null;
    }

    /// <exception cref="ApiError">400: a query of so many characters is too long.</exception>
    public static void RequireLength(int length)
    {
        if (length > MaxLength)
        {
            throw ApiError.BadRequest($"Error parsing query: longer than {MaxLength} characters");
        }
    }

    /// <summary>An error that names this place.</summary>
    public ApiError Error(string message) =>
        ApiError.BadRequest($"Error parsing query: {message}, at character {Position + 1}");

    // "OR" begins a word in {or:1}: there it is a tag's key.
    private bool AtTagCharacter() =>
        !AtEnd && (char.IsLetterOrDigit(_text[Position]) || "_-:./*".Contains(_text[Position]));
}
