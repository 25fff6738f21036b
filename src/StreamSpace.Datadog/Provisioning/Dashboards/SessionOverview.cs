using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>The specification's first dashboard, its widgets in its order and under its titles.</summary>
internal static class SessionOverview
{
    public const string Key = "session-overview";
    public const string Title = "Session Overview";

    public const string Description =
        "How many sessions there are, how long they run, of which templates, and what they use.";

    public static JsonArray Widgets() =>
        new Grid(Grid.Columns)
            .Add(
                6,
                4,
                Widget.Timeseries(
                    "Active Sessions",
                    Widget.Lines(new Figure("Active sessions", new Query("sum", MetricCatalog.SessionActive))),
                    Widget.Events()
                )
            )
            .Add(
                6,
                4,
                Widget.HeatMap(
                    "Session Duration",
                    new Figure("Running time", new Query("max", MetricCatalog.SessionDuration, "session"))
                )
            )
            .Add(
                6,
                4,
                Widget.TopList(
                    "Sessions Created",
                    new Figure("Sessions created", new Query("sum", MetricCatalog.SessionCreated, "template"))
                )
            )
            .Add(
                6,
                4,
                // Each on an axis of its own: beside bytes, percent would lie on the ground.
                Widget.Timeseries(
                    "Resource Usage",
                    Widget.Areas(new Figure("CPU, mean of sessions", new Query("avg", MetricCatalog.CpuUsage))),
                    Widget.OnTheRight(
                        Widget.Areas(new Figure("Memory", new Query("sum", MetricCatalog.MemoryUsage, "template")))
                    )
                )
            )
            .Widgets;
}
