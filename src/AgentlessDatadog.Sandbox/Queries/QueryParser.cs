using System.Globalization;
using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>
/// Reads <c>aggregation:metric{scope} by {tags}</c> with <c>.as_count()</c>, <c>.as_rate()</c> and <c>.rollup()</c>, and
/// several of them, or of what is reckoned of them, separated by commas.
/// </summary>
internal static class QueryParser
{
    private const int MaxQueries = 20;
    private const int MaxKeys = 20;
    private const int MaxRollupSeconds = 86_400;

    /// <exception cref="Intake.ApiError">400, naming the place.</exception>
    public static List<AskedExpression> Parse(string text)
    {
        var cursor = new QueryCursor(text);
        var queries = new List<AskedExpression>();
        do
        {
            if (queries.Count == MaxQueries)
            {
                throw cursor.Error($"more than {MaxQueries} queries");
            }
            cursor.SkipBlanks();
            var start = cursor.Position;
            var expression = ExpressionParser.Parse(cursor);
            queries.Add(new AskedExpression(cursor.Slice(start).Trim(), expression));
            cursor.SkipBlanks();
        } while (cursor.TryTake(','));
        return cursor.AtEnd ? queries : throw cursor.Error("expected , or the end");
    }

    /// <summary>One query from where the cursor is to its last function.</summary>
    public static MetricQuery ParseOne(QueryCursor cursor)
    {
        cursor.SkipBlanks();
        var (space, percentile, counted) = ParseSpace(cursor);
        cursor.Take(':', "after the aggregation");
        var metric = cursor.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');
        if (metric.Length == 0)
        {
            throw cursor.Error("expected the name of a metric");
        }
        cursor.Take('{', "and a scope, as in {*}");
        var scopeStart = cursor.Position;
        var scope = ScopeParser.Parse(cursor);
        var scopeText = cursor.Slice(scopeStart).Trim();
        cursor.Take('}', "to close the scope");
        var query = new MetricQuery(
            space,
            metric,
            scopeText,
            scope,
            ParseGroupBy(cursor),
            Reading.AsStored,
            RollupMethod: null,
            RollupSeconds: null
        )
        {
            Percentile = percentile,
            Counted = counted,
        };
        while (cursor.TryTake('.'))
        {
            query = ParseFunction(cursor, query);
        }
        return query;
    }

    /// <summary><c>avg</c>, <c>p95</c> or <c>count(v: v&lt;=60)</c>.</summary>
    private static (Aggregation Space, double Percentile, ValueCondition? Counted) ParseSpace(QueryCursor cursor)
    {
        const string example = "as in avg:metric{*}";
        var start = cursor.Position;
        if (
            cursor.TryTake('p')
            && cursor.TakeWhile(c => char.IsAsciiDigit(c) || c == '.') is { Length: > 0 } digits
            && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var percentile)
        )
        {
            return percentile is >= 0 and <= 100
                ? (Aggregation.Percentile, percentile, null)
                : throw cursor.Error("a percentile is from p0 to p100");
        }
        cursor.Return(start);
        if (cursor.TakeWhile(char.IsLetter) == "histogram")
        {
            return (Aggregation.Histogram, 0, null);
        }
        cursor.Return(start);
        var space = ParseAggregation(cursor, example);
        return (space, 0, space == Aggregation.Count && cursor.TryTake('(') ? ParseCondition(cursor) : null);
    }

    private static ValueCondition ParseCondition(QueryCursor cursor)
    {
        const string form = "as in count(v: v<=60)";
        foreach (var sign in "v:v")
        {
            cursor.Take(sign, form);
        }
        var comparator = Comparison.Take(cursor) ?? throw cursor.Error($"expected a comparator, {form}");
        var bound = cursor.TakeNumber() ?? throw cursor.Error($"expected a number, {form}");
        cursor.Take(')', form);
        return new ValueCondition(comparator, bound);
    }

    private static Aggregation ParseAggregation(QueryCursor cursor, string example)
    {
        var word = cursor.TakeWhile(char.IsLetter);
        return word switch
        {
            "avg" => Aggregation.Avg,
            "sum" => Aggregation.Sum,
            "min" => Aggregation.Min,
            "max" => Aggregation.Max,
            "count" => Aggregation.Count,
            _ => throw cursor.Error($"expected avg, sum, min, max or count, {example}"),
        };
    }

    private static List<string> ParseGroupBy(QueryCursor cursor)
    {
        var keys = new List<string>();
        if (!cursor.TryTakeWord("by"))
        {
            return keys;
        }
        cursor.Take('{', "and the keys to group by");
        do
        {
            cursor.SkipBlanks();
            var key = cursor.TakeWhile(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or '/');
            if (key.Length == 0)
            {
                throw cursor.Error("expected the key of a tag");
            }
            if (keys.Count == MaxKeys)
            {
                throw cursor.Error($"more than {MaxKeys} keys");
            }
            keys.Add(NameRules.TagPattern(key));
            cursor.SkipBlanks();
        } while (cursor.TryTake(','));
        cursor.Take('}', "to close the keys");
        return keys;
    }

    private static MetricQuery ParseFunction(QueryCursor cursor, MetricQuery query)
    {
        var name = cursor.TakeWhile(c => char.IsAsciiLetter(c) || c == '_');
        cursor.Take('(', "after the function's name");
        query = name switch
        {
            "as_count" => query with { Reading = Reading.AsCount },
            "as_rate" => query with { Reading = Reading.AsRate },
            "rollup" => ParseRollup(cursor, query),
            _ => throw cursor.Error("unknown function; as_count, as_rate and rollup are known"),
        };
        cursor.Take(')', "to close the function");
        return query;
    }

    private static MetricQuery ParseRollup(QueryCursor cursor, MetricQuery query)
    {
        cursor.SkipBlanks();
        var seconds = ParseSeconds(cursor);
        if (seconds is not null)
        {
            return query with { RollupSeconds = seconds };
        }
        query = query with { RollupMethod = ParseAggregation(cursor, "as in rollup(sum, 60)") };
        cursor.SkipBlanks();
        if (cursor.TryTake(','))
        {
            cursor.SkipBlanks();
            query = query with { RollupSeconds = ParseSeconds(cursor) ?? throw cursor.Error("expected seconds") };
        }
        return query;
    }

    private static int? ParseSeconds(QueryCursor cursor)
    {
        var digits = cursor.TakeWhile(char.IsAsciiDigit);
        if (digits.Length == 0)
        {
            return null;
        }
        return
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 1 and <= MaxRollupSeconds
            ? seconds
            : throw cursor.Error($"a rollup takes 1 to {MaxRollupSeconds} seconds");
    }
}
