using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>Reads the query of a metric monitor (docs/reference/datadog.md §8.3).</summary>
internal static class MonitorQueryParser
{
    /// <exception cref="ApiError">400 in Datadog's words, with what is wrong behind them.</exception>
    public static MonitorQuery Parse(string text)
    {
        try
        {
            return Parse(new QueryCursor(text), text);
        }
        catch (ApiError error)
        {
            throw Invalid(error.Message);
        }
    }

    /// <summary>Datadog's answer to a query that it cannot read, the same from a creation and a validation.</summary>
    public static ApiError Invalid(string why) =>
        ApiError.BadRequest($"The value provided for parameter 'query' is invalid: {why}");

    private static MonitorQuery Parse(QueryCursor cursor, string text)
    {
        if (!Comparison.Comparators.Any(sign => text.Contains(sign, StringComparison.Ordinal)))
        {
            throw ApiError.BadRequest("invalid operator specified: ");
        }
        cursor.SkipBlanks();
        var overTime = cursor.TakeWhile(char.IsAsciiLetter) switch
        {
            "avg" => Aggregation.Avg,
            "sum" => Aggregation.Sum,
            "min" => Aggregation.Min,
            "max" => Aggregation.Max,
            "percentile" => Aggregation.Percentile,
            _ => throw cursor.Error("expected avg, sum, min, max or percentile, as in avg(last_5m):avg:metric{*} > 1"),
        };
        cursor.Take('(', "and a window, as in avg(last_5m)");
        var window = ParseWindow(cursor);
        cursor.Take(')', "to close the window");
        cursor.Take(':', "after the window");
        var watched = ExpressionParser.Parse(cursor);
        if (!watched.Queries().Any())
        {
            throw cursor.Error("expected a query of a metric");
        }
        if (watched.References().FirstOrDefault() is { } name)
        {
            throw cursor.Error($"{name} is not a query; in a monitor every query is written out");
        }
        if (
            watched
                .Queries()
                .Select(query => string.Join(',', query.GroupBy.Order(StringComparer.Ordinal)))
                .Distinct()
                .Count(keys => keys.Length > 0) > 1
        )
        {
            throw cursor.Error("all its queries must be grouped by the same tags");
        }
        var comparator = Comparison.Take(cursor) ?? throw cursor.Error("expected one of <, <=, >, >=, == and !=");
        var threshold = cursor.TakeNumber() ?? throw cursor.Error("expected a number to compare with");
        cursor.SkipBlanks();
        return cursor.AtEnd
            ? new MonitorQuery(overTime, window, watched, comparator, threshold)
            : throw cursor.Error("expected the end");
    }

    private static MonitorWindow ParseWindow(QueryCursor cursor)
    {
        var word = cursor.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        return MonitorWindow.Parse(word)
            ?? throw cursor.Error(
                "expected last_1m to last_10080m, last_1h to last_168h, last_1d to last_7d, last_1w, current_1h, current_1d or "
                    + "current_1mo"
            );
    }
}
