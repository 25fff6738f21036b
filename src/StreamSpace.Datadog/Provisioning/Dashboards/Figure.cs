using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>One line, column or number of a widget: a formula over queries, with the name that a reader sees.</summary>
/// <param name="Alias">That name.</param>
/// <param name="Formula">The formula, with <c>{0}</c>, <c>{1}</c> … for the queries.</param>
/// <param name="Queries">What it is made of.</param>
internal sealed record Figure(string Alias, string Formula, params IReadOnlyList<Query> Queries)
{
    /// <summary>The query as it is.</summary>
    public Figure(string alias, Query query)
        : this(alias, "{0}", query) { }

    /// <summary>How many groups are shown at most, the largest first; null for all.</summary>
    public int? Top { get; init; }

    /// <summary>Colours by value, as Datadog holds them.</summary>
    public IReadOnlyList<(string Comparator, double Value, string Palette)> Colours { get; init; } = [];

    /// <summary>The queries and formulas of a request.</summary>
    /// <param name="figures">In order.</param>
    /// <param name="isFigure">True where each is one number for the whole time, false for one over time.</param>
    public static JsonObject Request(IReadOnlyList<Figure> figures, bool isFigure)
    {
        var (queries, formulas) = (new JsonArray(), new JsonArray());
        foreach (var figure in figures)
        {
            var names = figure.Queries.Select((_, i) => $"query{queries.Count + i + 1}").ToArray();
            formulas.Add(figure.Over(names));
            foreach (var (query, name) in figure.Queries.Zip(names))
            {
                queries.Add(query.Named(name, isFigure));
            }
        }
        return new JsonObject
        {
            ["response_format"] = isFigure ? "scalar" : "timeseries",
            ["queries"] = queries,
            ["formulas"] = formulas,
        };
    }

    private JsonObject Over(string[] names)
    {
        var formula = new JsonObject
        {
            ["formula"] = string.Format(CultureInfo.InvariantCulture, Formula, names),
            ["alias"] = Alias,
        };
        if (Top is { } top)
        {
            formula["limit"] = new JsonObject { ["count"] = top, ["order"] = "desc" };
        }
        if (Colours.Count > 0)
        {
            formula["conditional_formats"] = new JsonArray([
                .. Colours.Select(colour => new JsonObject
                {
                    ["comparator"] = colour.Comparator,
                    ["value"] = colour.Value,
                    ["palette"] = colour.Palette,
                }),
            ]);
        }
        return formula;
    }
}
