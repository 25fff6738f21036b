using System.Text.Json;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Schemas;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>One query of a <see cref="FormulaRequest"/>: of metrics an expression, else a search that is counted.</summary>
/// <param name="Name">What formulas call it.</param>
/// <param name="Aggregator">How its points become one figure.</param>
/// <param name="Metrics">Of metrics: what is asked; null for the others.</param>
/// <param name="Source">Where it looks: <c>metrics</c>, <c>events</c>, <c>logs</c> or <c>spans</c>.</param>
/// <param name="Filter">Of the others: what is wanted.</param>
/// <param name="GroupBy">Of the others: by what it is counted.</param>
internal sealed record NamedQuery(
    string Name,
    string Aggregator,
    Expression? Metrics,
    string Source,
    SearchFilter? Filter,
    IReadOnlyList<string> GroupBy
);

/// <summary>A formula over queries, and how many series of it are wanted.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Expression">What it says.</param>
/// <param name="Limit">How many series, the first by their figures; null for all.</param>
/// <param name="IsAscending">True when the least come first.</param>
internal sealed record Formula(string Text, Expression Expression, int? Limit, bool IsAscending);

/// <summary>What <c>POST /api/v2/query/timeseries</c> and <c>/scalar</c> ask (docs/reference/datadog.md §8.7).</summary>
internal sealed record FormulaRequest(
    IReadOnlyList<NamedQuery> Queries,
    IReadOnlyList<Formula> Formulas,
    QueryWindow Window
)
{
    private const int MaxQueries = 20;
    private const int MaxFacets = 20;
    private const long Milliseconds = 1_000;

    /// <param name="json">The body.</param>
    /// <param name="type"><c>timeseries</c> or <c>scalar</c>.</param>
    /// <param name="variables">What stands for template variables in the texts of the queries.</param>
    /// <exception cref="ApiError">400: it is not one.</exception>
    public static FormulaRequest Read(JsonElement json, string type, IReadOnlyList<TemplateVariable> variables)
    {
        var expected = $"{type}_request";
        if (!json.Has("data", JsonValueKind.Object, out var data) || data.TextOf("type") != expected)
        {
            throw Invalid($"Invalid type. Expected \"{expected}\".");
        }
        var schema = type == "scalar" ? "ScalarFormulaQueryRequest" : "TimeseriesFormulaQueryRequest";
        if (OpenApiSchema.V2.ErrorIn(json, schema) is { } error)
        {
            throw Invalid(error.ToString());
        }
        var attributes = data.GetProperty("attributes");
        List<NamedQuery> queries =
        [
            .. attributes.ItemsOf("queries").Select((query, index) => ReadQuery(query, index, variables)),
        ];
        if (queries.Count is 0 or > MaxQueries)
        {
            throw Invalid($"there must be 1 to {MaxQueries} queries");
        }
        List<Formula> formulas = [.. attributes.ItemsOf("formulas").Select(ReadFormula)];
        if (formulas.Count == 0)
        {
            formulas.AddRange(
                queries.Select(query => new Formula(query.Name, new Expression.Reference(query.Name), null, false))
            );
        }
        return formulas.Count <= MaxQueries
            ? new FormulaRequest(queries, formulas, ReadWindow(attributes))
            : throw Invalid($"there may be {MaxQueries} formulas");
    }

    /// <summary><c>from</c> and <c>to</c>, and <c>interval</c> where it is given, all in milliseconds.</summary>
    /// <exception cref="ApiError">400: they are none.</exception>
    public static QueryWindow ReadWindow(JsonElement attributes)
    {
        var from = attributes.GetProperty("from").GetInt64() / Milliseconds;
        var to = attributes.GetProperty("to").GetInt64() / Milliseconds;
        if (from < 0 || to > uint.MaxValue || from > to)
        {
            throw Invalid("'from' must not be later than 'to', both in milliseconds since 1970");
        }
        return new QueryWindow(from, to)
        {
            Interval = attributes.NumberOf("interval") is { } interval
                ? (int)Math.Clamp(interval / Milliseconds, 1, int.MaxValue)
                : null,
        };
    }

    private static NamedQuery ReadQuery(JsonElement query, int index, IReadOnlyList<TemplateVariable> variables)
    {
        var name = query.TextOf("name") ?? $"query{index + 1}";
        var aggregator = query.TextOf("aggregator") ?? "sum";
        var source = query.TextOf("data_source")!;
        if (source == "metrics")
        {
            return new NamedQuery(
                name,
                aggregator,
                ExpressionParser.Parse(TemplateVariables.Apply(query.TextOf("query")!, variables)),
                source,
                null,
                []
            );
        }
        if (source is not ("events" or "logs" or "spans"))
        {
            throw Invalid($"the sandbox has no {source}; it has metrics, events, logs and spans");
        }
        if (query.GetProperty("compute").TextOf("aggregation") != "count")
        {
            throw Invalid($"the sandbox counts {source}, and computes nothing else of them");
        }
        List<string> facets = [.. query.ItemsOf("group_by").Select(group => group.TextOf("facet")!)];
        if (facets.Count > MaxFacets)
        {
            throw Invalid($"there may be {MaxFacets} facets in 'group_by'");
        }
        var search = query.Has("search", JsonValueKind.Object, out var wanted) ? wanted.TextOf("query") ?? "" : "";
        return new NamedQuery(
            name,
            aggregator,
            null,
            source,
            SearchParser.Parse(TemplateVariables.Apply(search, variables)),
            facets
        );
    }

    private static Formula ReadFormula(JsonElement formula)
    {
        var text = formula.TextOf("formula")!;
        formula.Has("limit", JsonValueKind.Object, out var limit);
        return new Formula(
            text,
            ExpressionParser.Parse(text),
            limit.NumberOf("count") is { } count ? (int)Math.Clamp(count, 0, int.MaxValue) : null,
            limit.TextOf("order") == "asc"
        );
    }

    private static ApiError Invalid(string why) => ApiError.BadRequest($"API input validation failed: {why}");
}
