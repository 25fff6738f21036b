using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>Definitions of widgets, as Datadog's dashboards hold them.</summary>
internal static class Widget
{
    // More rows than anyone reads.
    private const int TopRows = 10;
    private const int TableRows = 50;

    private const string EventQuery = "source:streamspace";

    /// <summary>Charts over time, one upon the other.</summary>
    public static JsonObject Timeseries(string title, params IReadOnlyList<JsonObject> requests) =>
        new()
        {
            ["type"] = "timeseries",
            ["title"] = title,
            ["show_legend"] = true,
            ["legend_layout"] = "auto",
            ["legend_columns"] = new JsonArray("avg", "max", "value"),
            ["requests"] = new JsonArray([.. requests]),
        };

    /// <summary>Lines: for what is compared.</summary>
    public static JsonObject Lines(params IReadOnlyList<Figure> figures) => Drawn("line", "dog_classic", figures);

    /// <summary>Areas, stacked: for what adds up.</summary>
    public static JsonObject Areas(params IReadOnlyList<Figure> figures) => Drawn("area", "dog_classic", figures);

    /// <summary>Bars, stacked: for what is counted.</summary>
    public static JsonObject Bars(params IReadOnlyList<Figure> figures) => Drawn("bars", "dog_classic", figures);

    /// <summary>The same, measured on an axis of its own.</summary>
    public static JsonObject OnTheRight(JsonObject request)
    {
        request["on_right_yaxis"] = true;
        request["style"]!["palette"] = "purple";
        return request;
    }

    /// <summary>Our events, as marks upon a chart.</summary>
    public static JsonObject Events() =>
        new()
        {
            ["display_type"] = "overlay",
            ["response_format"] = "timeseries",
            ["queries"] = new JsonArray(
                new JsonObject
                {
                    ["data_source"] = "events",
                    ["name"] = "events",
                    ["indexes"] = new JsonArray("*"),
                    ["compute"] = new JsonObject { ["aggregation"] = "count" },
                    ["group_by"] = new JsonArray(),
                    ["search"] = new JsonObject { ["query"] = EventQuery },
                }
            ),
            ["formulas"] = new JsonArray(new JsonObject { ["formula"] = "events" }),
        };

    /// <summary>How many series have which value, over time: one observation for each group.</summary>
    public static JsonObject HeatMap(string title, Figure figure) =>
        new()
        {
            ["type"] = "heatmap",
            ["title"] = title,
            ["requests"] = new JsonArray(Styled(Figure.Request([figure], isFigure: false), "dog_classic")),
        };

    /// <summary>How many values of a distribution lie where, over time.</summary>
    public static JsonObject ValueHeatMap(string title, Query histogram) =>
        new()
        {
            ["type"] = "heatmap",
            ["title"] = title,
            ["requests"] = new JsonArray(
                new JsonObject
                {
                    ["request_type"] = "histogram",
                    ["query"] = histogram.Named("query1", isFigure: false),
                    ["style"] = new JsonObject { ["palette"] = "dog_classic" },
                }
            ),
        };

    /// <summary>The largest groups.</summary>
    public static JsonObject TopList(string title, Figure figure) =>
        new()
        {
            ["type"] = "toplist",
            ["title"] = title,
            ["requests"] = new JsonArray(Sorted(Figure.Request([figure], isFigure: true), TopRows)),
        };

    /// <summary>Groups as rows, figures as columns, sorted by the first.</summary>
    public static JsonObject Table(string title, params IReadOnlyList<Figure> columns) =>
        new()
        {
            ["type"] = "query_table",
            ["title"] = title,
            ["has_search_bar"] = "auto",
            ["requests"] = new JsonArray(Sorted(Figure.Request(columns, isFigure: true), TableRows)),
        };

    /// <summary>One number, with its course behind it.</summary>
    /// <param name="title">What it says.</param>
    /// <param name="figure">The number.</param>
    /// <param name="background"><c>area</c> for a state, <c>bars</c> for what is counted.</param>
    /// <param name="span">The time that it is about, as in <c>1d</c>; null for what the dashboard shows.</param>
    public static JsonObject Value(string title, Figure figure, string background = "area", string? span = null)
    {
        var widget = new JsonObject
        {
            ["type"] = "query_value",
            ["title"] = title,
            ["autoscale"] = true,
            ["precision"] = 0,
            ["timeseries_background"] = new JsonObject { ["type"] = background },
            ["requests"] = new JsonArray(Figure.Request([figure], isFigure: true)),
        };
        if (span is not null)
        {
            widget["time"] = new JsonObject { ["live_span"] = span };
        }
        return widget;
    }

    /// <summary>Text, as Markdown.</summary>
    public static JsonObject Note(string markdown) =>
        new()
        {
            ["type"] = "note",
            ["content"] = markdown,
            ["background_color"] = "white",
            ["font_size"] = "14",
            ["text_align"] = "left",
            ["vertical_align"] = "top",
            ["has_padding"] = true,
            ["show_tick"] = false,
        };

    /// <summary>How the monitors stand.</summary>
    /// <param name="title">What they are.</param>
    /// <param name="query">Which, in the language of Datadog's page of monitors.</param>
    public static JsonObject Monitors(string title, string query) =>
        new()
        {
            ["type"] = "manage_status",
            ["title"] = title,
            ["query"] = query,
            ["summary_type"] = "monitors",
            ["display_format"] = "countsAndList",
            ["color_preference"] = "text",
            ["sort"] = "status,asc",
            ["hide_zero_counts"] = true,
            ["show_last_triggered"] = true,
        };

    /// <summary>How an SLO stands, over a week and a month.</summary>
    /// <param name="title">What it promises.</param>
    /// <param name="id">The SLO's id at Datadog; null while it has none.</param>
    public static JsonObject Slo(string title, string? id)
    {
        var widget = new JsonObject
        {
            ["type"] = "slo",
            ["title"] = title,
            ["view_type"] = "detail",
            ["view_mode"] = "overall",
            ["time_windows"] = new JsonArray("7d", "30d"),
            ["show_error_budget"] = true,
        };
        if (id is not null)
        {
            widget["slo_id"] = id;
        }
        return widget;
    }

    /// <summary>Our events as a list, the newest first.</summary>
    public static JsonObject EventList(string title) =>
        new()
        {
            ["type"] = "list_stream",
            ["title"] = title,
            ["requests"] = new JsonArray(
                new JsonObject
                {
                    ["response_format"] = "event_list",
                    ["columns"] = new JsonArray(Column("timestamp"), Column("title"), Column("tags")),
                    ["query"] = new JsonObject
                    {
                        ["data_source"] = "event_stream",
                        ["query_string"] = EventQuery,
                        ["event_size"] = "s",
                    },
                }
            ),
        };

    /// <summary>Widgets under one head, in a colour of their own.</summary>
    public static JsonObject Group(string title, string colour, JsonArray widgets) =>
        new()
        {
            ["type"] = "group",
            ["layout_type"] = "ordered",
            ["title"] = title,
            ["show_title"] = true,
            ["background_color"] = colour,
            ["widgets"] = widgets,
        };

    private static JsonObject Column(string field) => new() { ["field"] = field, ["width"] = "auto" };

    private static JsonObject Drawn(string displayType, string palette, IReadOnlyList<Figure> figures)
    {
        var request = Figure.Request(figures, isFigure: false);
        request["display_type"] = displayType;
        request["style"] = new JsonObject
        {
            ["palette"] = palette,
            ["line_type"] = "solid",
            ["line_width"] = "normal",
        };
        return request;
    }

    private static JsonObject Styled(JsonObject request, string palette)
    {
        request["style"] = new JsonObject { ["palette"] = palette };
        return request;
    }

    private static JsonObject Sorted(JsonObject request, int rows)
    {
        request["sort"] = new JsonObject
        {
            ["count"] = rows,
            ["order_by"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "formula",
                    ["index"] = 0,
                    ["order"] = "desc",
                }
            ),
        };
        return request;
    }
}
