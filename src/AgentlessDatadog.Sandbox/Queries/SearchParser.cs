using System.Globalization;
using System.Text;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// Reads a search of spans, logs or events: <c>service:x @http.status_code:[500 TO 599] -status:ok (timeout OR "no room")</c>.
/// Terms that only stand beside each other must all hold.
/// </summary>
internal static class SearchParser
{
    private const int MaxDepth = 64;

    // One filter holds the next, and all are asked one inside the other.
    private const int MaxTerms = 200;

    private static readonly SearchFilter Everything = new SearchFilter.Everything();

    /// <exception cref="ApiError">400, naming the place.</exception>
    public static SearchFilter Parse(string text)
    {
        var cursor = new QueryCursor(text);
        cursor.SkipBlanks();
        if (cursor.AtEnd)
        {
            return Everything;
        }
        var terms = 0;
        var filter = ParseOr(cursor, null, 0, ref terms);
        cursor.SkipBlanks();
        return cursor.AtEnd ? filter : throw cursor.Error("a parenthesis is closed that was not opened");
    }

    private static SearchFilter ParseOr(QueryCursor cursor, string? field, int depth, ref int terms)
    {
        var filter = ParseAnd(cursor, field, depth, ref terms);
        while (cursor.TryTakeWord("OR"))
        {
            filter = new SearchFilter.Or(filter, ParseAnd(cursor, field, depth, ref terms));
        }
        return filter;
    }

    private static SearchFilter ParseAnd(QueryCursor cursor, string? field, int depth, ref int terms)
    {
        var filter = ParseOne(cursor, field, depth, ref terms);
        while (true)
        {
            cursor.SkipBlanks();
            if (cursor.AtEnd || cursor.IsAt(')') || cursor.IsAtWord("OR"))
            {
                return filter;
            }
            cursor.TryTakeWord("AND");
            filter = new SearchFilter.And(filter, ParseOne(cursor, field, depth, ref terms));
        }
    }

    private static SearchFilter ParseOne(QueryCursor cursor, string? field, int depth, ref int terms)
    {
        if (depth > MaxDepth)
        {
            throw cursor.Error($"more than {MaxDepth} levels");
        }
        if (++terms > MaxTerms)
        {
            throw cursor.Error($"more than {MaxTerms} terms");
        }
        cursor.SkipBlanks();
        if (cursor.TryTake('-') || cursor.TryTake('!') || cursor.TryTakeWord("NOT"))
        {
            return new SearchFilter.Not(ParseOne(cursor, field, depth + 1, ref terms));
        }
        if (cursor.TryTake('('))
        {
            var inner = ParseOr(cursor, field, depth + 1, ref terms);
            cursor.Take(')', "to close the parenthesis");
            return inner;
        }
        if (field is not null)
        {
            return ParseValue(cursor, field);
        }
        var start = cursor.Position;
        var name = cursor.TakeWhile(c => char.IsLetterOrDigit(c) || "@_-./".Contains(c));
        if (name.Length > 0 && cursor.TryTake(':'))
        {
            return cursor.IsAt('(') ? ParseOne(cursor, name, depth + 1, ref terms) : ParseValue(cursor, name);
        }
        cursor.Return(start);
        var words = Word(cursor);
        return words == "*" ? Everything : new SearchFilter.Text(words);
    }

    private static SearchFilter ParseValue(QueryCursor cursor, string field)
    {
        if (cursor.TryTake('['))
        {
            var min = Bound(cursor, double.NegativeInfinity);
            if (!cursor.TryTakeWord("TO"))
            {
                throw cursor.Error("expected TO, as in [1 TO 5]");
            }
            var max = Bound(cursor, double.PositiveInfinity);
            cursor.Take(']', "to close the range");
            return new SearchFilter.Range(field, min, HasMin: true, max, HasMax: true);
        }
        if (cursor.TryTake('>'))
        {
            var isIncluded = cursor.TryTake('=');
            return new SearchFilter.Range(field, Number(cursor), isIncluded, double.PositiveInfinity, HasMax: true);
        }
        if (cursor.TryTake('<'))
        {
            var isIncluded = cursor.TryTake('=');
            return new SearchFilter.Range(field, double.NegativeInfinity, HasMin: true, Number(cursor), isIncluded);
        }
        return new SearchFilter.Field(field, Word(cursor));
    }

    private static double Bound(QueryCursor cursor, double open)
    {
        cursor.SkipBlanks();
        return cursor.TryTake('*') ? open : Number(cursor);
    }

    private static double Number(QueryCursor cursor)
    {
        var text = cursor.TakeWhile(c => char.IsAsciiDigit(c) || "+-.eE".Contains(c));
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw cursor.Error("expected a number");
    }

    /// <summary>A word, a backslash before what would end it, or several in quotation marks.</summary>
    private static string Word(QueryCursor cursor)
    {
        var word = new StringBuilder();
        var isQuoted = cursor.TryTake('"');
        while (!cursor.AtEnd)
        {
            if (cursor.TryTake('\\'))
            {
                word.Append(cursor.TakeOne("expected a character after \\"));
            }
            else if (isQuoted && cursor.TryTake('"'))
            {
                return word.ToString();
            }
            else if (!isQuoted && (cursor.IsAtBlank() || cursor.IsAt('(') || cursor.IsAt(')') || cursor.IsAt('"')))
            {
                break;
            }
            else
            {
                word.Append(cursor.TakeOne(""));
            }
        }
        if (isQuoted)
        {
            throw cursor.Error("a quotation mark is not closed");
        }
        return word.Length > 0 ? word.ToString() : throw cursor.Error("expected a word or a value");
    }
}
