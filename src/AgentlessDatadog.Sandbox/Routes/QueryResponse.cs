using System.Text.Json;
using AgentlessDatadog.Sandbox.Normalising;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Writes results as <c>GET /api/v1/query</c> answers them: times in milliseconds.</summary>
internal static class QueryResponse
{
    private const long Milliseconds = 1_000;

    public static void Write(
        Utf8JsonWriter json,
        string text,
        IReadOnlyList<AskedExpression> asked,
        IReadOnlyList<Result> results,
        long from,
        long to
    )
    {
        json.WriteString("status", "ok");
        json.WriteString("res_type", "time_series");
        json.WriteNumber("resp_version", 1);
        json.WriteString("query", text);
        json.WriteNumber("from_date", from * Milliseconds);
        json.WriteNumber("to_date", to * Milliseconds);
        json.WriteStrings(
            "group_by",
            asked.SelectMany(one => one.Expression.Queries()).SelectMany(query => query.GroupBy).Distinct()
        );
        json.WriteString("message", "");
        json.WriteStartArray("series");
        for (var i = 0; i < asked.Count; i++)
        {
            foreach (var series in results[i].Series.Where(series => series.Points.Count > 0))
            {
                WriteSeries(json, asked[i], i, series);
            }
        }
        json.WriteEndArray();
    }

    private static void WriteSeries(Utf8JsonWriter json, AskedExpression asked, int index, ResultSeries result)
    {
        json.WriteStartObject();
        json.WriteNumber("query_index", index);
        if (asked.Expression is Expression.Metric { Query: var query })
        {
            var scope = ScopeOf(query, result);
            json.WriteString("metric", query.Metric);
            json.WriteString("display_name", query.Metric);
            json.WriteString("aggr", query.SpaceText);
            json.WriteString("scope", scope);
            json.WriteString("expression", $"{query.SpaceText}:{query.Metric}{{{scope}}}{FunctionsOf(query)}");
        }
        else
        {
            json.WriteString("metric", asked.Text);
            json.WriteString("display_name", asked.Text);
            json.WriteNull("aggr");
            json.WriteString("scope", result.TagSet.Count == 0 ? "*" : result.Group);
            json.WriteString("expression", asked.Text);
        }
        json.WriteStrings("tag_set", result.TagSet);
        WriteUnit(json, result.Unit);
        json.WriteNumber("interval", result.Interval);
        json.WriteNumber("length", result.Points.Count);
        json.WriteNumber("start", result.Points[0].Time * Milliseconds);
        json.WriteNumber("end", ((result.Points[^1].Time + result.Interval) * Milliseconds) - 1);
        json.WriteStartArray("pointlist");
        foreach (var point in result.Points)
        {
            json.WriteStartArray();
            json.WriteNumberValue(point.Time * Milliseconds);
            WriteValue(json, point.Value);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The query's own scope narrowed by the group's tags, as Datadog shows it.</summary>
    private static string ScopeOf(MetricQuery query, ResultSeries result) =>
        result.TagSet.Count == 0 ? query.ScopeText
        : query.Scope is Scope.Everything ? result.Group
        : $"{query.ScopeText},{result.Group}";

    private static string FunctionsOf(MetricQuery query)
    {
        var reading = query.Reading switch
        {
            Reading.AsCount => ".as_count()",
            Reading.AsRate => ".as_rate()",
            _ => "",
        };
        return (query.RollupMethod, query.RollupSeconds) switch
        {
            (null, null) => reading,
            ({ } method, null) => $"{reading}.rollup({method.Name()})",
            (null, { } seconds) => $"{reading}.rollup({seconds})",
            ({ } method, { } seconds) => $"{reading}.rollup({method.Name()}, {seconds})",
        };
    }

    /// <summary>A value; a sum may pass the largest number, which JSON cannot say.</summary>
    public static void WriteValue(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>The unit and the unit that it is per; null when there is none.</summary>
    public static void WriteUnit(Utf8JsonWriter json, string? name)
    {
        if (name is null || Units.Find(name) is not { } unit)
        {
            json.WriteNull("unit");
            return;
        }
        json.WriteStartArray("unit");
        json.WriteStartObject();
        json.WriteString("family", unit.Family);
        json.WriteString("name", unit.Name);
        json.WriteEndObject();
        json.WriteNullValue();
        json.WriteEndArray();
    }
}
