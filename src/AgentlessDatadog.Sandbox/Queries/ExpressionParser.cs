using System.Collections.Frozen;
using System.Text;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// Reads queries and what is reckoned of them, as in <c>100 * sum:a{*}.as_count() / default_zero(sum:b{*}.as_count())</c>, and
/// formulas over the names of queries, as in <c>(a + b) / 2</c>.
/// </summary>
internal static class ExpressionParser
{
    private const int MaxDepth = 64;

    // Two years, longer than Datadog keeps anything.
    private const int MaxShiftSeconds = 2 * 366 * 86_400;

    // One holds the next, and they are asked one inside the other.
    private const int MaxOperations = 100;

    private static readonly FrozenDictionary<string, (Function Function, int Numbers)> Known =
        Enum.GetValues<Function>().ToFrozenDictionary(NameOf, function => (function, NumbersOf(function)));

    /// <summary>A whole text.</summary>
    /// <exception cref="ApiError">400, naming the place.</exception>
    public static Expression Parse(string text)
    {
        var cursor = new QueryCursor(text);
        var expression = Parse(cursor);
        cursor.SkipBlanks();
        return cursor.AtEnd ? expression : throw cursor.Error("expected an operator or the end");
    }

    /// <summary>As much as belongs together from where the cursor is.</summary>
    /// <exception cref="ApiError">400, naming the place.</exception>
    public static Expression Parse(QueryCursor cursor)
    {
        var operations = 0;
        return ParseSum(cursor, 0, ref operations);
    }

    private static Expression ParseSum(QueryCursor cursor, int depth, ref int operations)
    {
        var expression = ParseProduct(cursor, depth, ref operations);
        while (TryTakeOperator(cursor, '+', '-', ref operations) is { } sign)
        {
            expression = new Expression.Arithmetic(sign, expression, ParseProduct(cursor, depth, ref operations));
        }
        return expression;
    }

    private static Expression ParseProduct(QueryCursor cursor, int depth, ref int operations)
    {
        var expression = ParseOne(cursor, depth, ref operations);
        while (TryTakeOperator(cursor, '*', '/', ref operations) is { } sign)
        {
            expression = new Expression.Arithmetic(sign, expression, ParseOne(cursor, depth, ref operations));
        }
        return expression;
    }

    private static char? TryTakeOperator(QueryCursor cursor, char one, char other, ref int operations)
    {
        cursor.SkipBlanks();
        char? sign =
            cursor.TryTake(one) ? one
            : cursor.TryTake(other) ? other
            : null;
        if (sign is not null && ++operations > MaxOperations)
        {
            throw cursor.Error($"more than {MaxOperations} operations");
        }
        return sign;
    }

    private static Expression ParseOne(QueryCursor cursor, int depth, ref int operations)
    {
        if (depth > MaxDepth)
        {
            throw cursor.Error($"more than {MaxDepth} levels");
        }
        if (cursor.TakeNumber() is { } number)
        {
            return new Expression.Number(number);
        }
        cursor.SkipBlanks();
        if (cursor.TryTake('-'))
        {
            var negated = ParseOne(cursor, depth + 1, ref operations);
            return new Expression.Arithmetic('-', new Expression.Number(0), negated);
        }
        if (cursor.TryTake('('))
        {
            var inner = ParseSum(cursor, depth + 1, ref operations);
            cursor.Take(')', "to close the parenthesis");
            return inner;
        }
        var start = cursor.Position;
        var word = cursor.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        if (Known.TryGetValue(word, out var known) && cursor.TryTake('('))
        {
            return ParseCall(cursor, known.Function, known.Numbers, depth, ref operations);
        }
        if (
            word.Length > 0
            && !cursor.IsAt(':')
            && !cursor.IsAt('{')
            && !cursor.IsAt('.')
            && !IsCondition(cursor, word)
        )
        {
            return cursor.IsAt('(')
                ? throw cursor.Error(
                    $"unknown function; {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))} are known"
                )
                : new Expression.Reference(word);
        }
        cursor.Return(start);
        return new Expression.Metric(QueryParser.ParseOne(cursor));
    }

    private static bool IsCondition(QueryCursor cursor, string word) => word == "count" && cursor.IsAt('(');

    private static Expression.Call ParseCall(
        QueryCursor cursor,
        Function function,
        int numbers,
        int depth,
        ref int operations
    )
    {
        var argument = ParseSum(cursor, depth + 1, ref operations);
        var values = new double[numbers];
        for (var i = 0; i < numbers; i++)
        {
            cursor.Take(',', "and a number");
            values[i] = cursor.TakeNumber() ?? throw cursor.Error("expected a number");
        }
        if (function == Function.Timeshift && Math.Abs(values[0]) > MaxShiftSeconds)
        {
            throw cursor.Error($"a timeshift takes at most {MaxShiftSeconds} seconds");
        }
        cursor.Take(')', "to close the function");
        return new Expression.Call(function, argument, values);
    }

    private static int NumbersOf(Function function) =>
        function switch
        {
            Function.ClampMin
            or Function.ClampMax
            or Function.CutoffMin
            or Function.CutoffMax
            or Function.IsGreater
            or Function.IsLess
            or Function.Timeshift => 1,
            _ => 0,
        };

    /// <summary><c>DefaultZero</c> as <c>default_zero</c>.</summary>
    private static string NameOf(Function function)
    {
        var name = new StringBuilder();
        foreach (var c in function.ToString())
        {
            if (char.IsUpper(c) && name.Length > 0)
            {
                name.Append('_');
            }
            name.Append(char.ToLowerInvariant(c));
        }
        return name.ToString();
    }
}
