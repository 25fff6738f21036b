using System.Text.Json.Nodes;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>Puts widgets side by side, and into the next row where one has no room left. Those of a row are of one height.</summary>
/// <param name="columns">How wide it is: a dashboard has 12 columns, a group as many as it is wide.</param>
internal sealed class Grid(int columns)
{
    /// <summary>The columns of a dashboard.</summary>
    public const int Columns = 12;

    // The head of a group takes a row.
    private const int HeadHeight = 1;

    private readonly JsonArray _widgets = [];
    private int _x;
    private int _y;
    private int _rowHeight;

    /// <summary>What was put in it.</summary>
    public JsonArray Widgets => _widgets;

    private int Height => _y + _rowHeight;

    /// <summary>Puts a widget in.</summary>
    public Grid Add(int width, int height, JsonObject definition)
    {
        if (_x + width > columns)
        {
            (_x, _y, _rowHeight) = (0, Height, 0);
        }
        _widgets.Add(
            new JsonObject
            {
                ["definition"] = definition,
                ["layout"] = new JsonObject
                {
                    ["x"] = _x,
                    ["y"] = _y,
                    ["width"] = width,
                    ["height"] = height,
                },
            }
        );
        (_x, _rowHeight) = (_x + width, Math.Max(_rowHeight, height));
        return this;
    }

    /// <summary>Puts a group in that is as high as what is in it.</summary>
    public Grid AddGroup(int width, string title, string colour, Func<Grid, Grid> fill)
    {
        var inner = fill(new Grid(width));
        return Add(width, inner.Height + HeadHeight, Widget.Group(title, colour, inner.Widgets));
    }
}
