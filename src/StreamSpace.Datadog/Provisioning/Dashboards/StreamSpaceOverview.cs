using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>All of it on one page, in the order of Datadog's own guideline: what it is, how it is now, then each part, streams last.</summary>
internal static class StreamSpaceOverview
{
    public const string Key = "streamspace-overview";
    public const string Title = "StreamSpace Overview";

    public const string Description =
        "Desktop sessions: how they start, run and end, what they use, who uses them, and what is watched.";

    private const string About = """
        ### [StreamSpace](https://github.com/JoshuaAFerguson/streamspace)

        Desktop sessions that are streamed to browsers, and the plugin that tells of them.

        - **Slow or failed starts?** Group *Starts*: which template, and why.
        - **Something runs for too long?** Group *Sessions*: the longest, with their users.
        - **No data?** Group *Platform and collector*: a source is down, or nothing is sent. On the plugin's host, `status` says what to do.

        [Metrics](/metric/summary?filter=streamspace) · [Monitors](/monitors/manage?q=tag%3A%22managed-by%3Astreamspace-datadog%22)
        """;

    /// <param name="sloId">Gives an SLO's id at Datadog by its key, or null.</param>
    public static JsonArray Widgets(Func<string, string?> sloId) =>
        new Grid(Grid.Columns)
            .AddGroup(4, "About", "white", about => about.Add(4, 8, Widget.Note(About)))
            .AddGroup(8, "Now", "vivid_blue", now => Now(now, sloId))
            .AddGroup(12, "Starts", "vivid_green", Starts)
            .AddGroup(12, "Sessions", "vivid_blue", Sessions)
            .AddGroup(12, "Resources", "vivid_purple", Resources)
            .AddGroup(12, "Users", "vivid_orange", Users)
            .AddGroup(12, "Platform and collector", "gray", Collector)
            .AddGroup(12, "Stream", "gray", stream => stream.Add(12, 6, Widget.EventList("Events")))
            .Widgets;

    private static Grid Now(Grid grid, Func<string, string?> sloId)
    {
        grid.Add(
                2,
                2,
                Widget.Value("Active sessions", new Figure("Active", new Query("sum", MetricCatalog.SessionActive)))
            )
            .Add(
                2,
                2,
                Widget.Value("Starting", new Figure("Starting", new Query("sum", MetricCatalog.SessionsPending)))
            )
            .Add(
                2,
                2,
                Widget.Value(
                    "Failed in a day",
                    new Figure("Failed", "default_zero({0})", new Query("sum", MetricCatalog.SessionFailed))
                    {
                        Colours = [(">", 0, "white_on_yellow"), ("<=", 0, "white_on_green")],
                    },
                    "bars",
                    "1d"
                )
            )
            .Add(2, 2, Widget.Value("Users with a session", UserActivity.UsersWithASession))
            .Add(8, 3, Widget.Monitors("Monitors", $"tag:\"{Marker.ManagedBy}\""));
        return ServiceLevels.Keys.Aggregate(
            grid,
            (to, key) => to.Add(4, 3, Widget.Slo(ServiceLevels.NameOf(key), sloId(key)))
        );
    }

    private static Grid Starts(Grid grid) =>
        grid.Add(
                6,
                4,
                Widget.Timeseries(
                    "Time to ready",
                    Widget.Lines(
                        new Figure("Half of them within", new Query("p50", MetricCatalog.TimeToReady)),
                        new Figure("95 of 100 within", new Query("p95", MetricCatalog.TimeToReady))
                    ),
                    Widget.Events()
                )
            )
            .Add(
                6,
                4,
                Widget.Timeseries(
                    "Failures by reason",
                    Widget.Bars(new Figure("Failed", new Query("sum", MetricCatalog.SessionFailed, "reason")))
                )
            )
            .Add(
                6,
                4,
                Widget.TopList(
                    "Slowest templates",
                    new Figure("95 of 100 within", new Query("p95", MetricCatalog.TimeToReady, "template"))
                )
            )
            .Add(
                6,
                4,
                Widget.ValueHeatMap("Spread of time to ready", new Query("histogram", MetricCatalog.TimeToReady))
            );

    private static Grid Sessions(Grid grid) =>
        grid.Add(
                6,
                4,
                Widget.Timeseries(
                    "Active sessions by template",
                    Widget.Areas(new Figure("Active", new Query("sum", MetricCatalog.SessionActive, "template")))
                )
            )
            .Add(
                6,
                4,
                Widget.Timeseries(
                    "Sessions created and ended",
                    Widget.Bars(
                        new Figure("Created", new Query("sum", MetricCatalog.SessionCreated)),
                        new Figure("Ended", "0 - {0}", new Query("sum", MetricCatalog.SessionTerminated))
                    )
                )
            )
            .Add(
                6,
                4,
                Widget.HeatMap(
                    "Running time",
                    new Figure("Running time", new Query("max", MetricCatalog.SessionDuration, "session"))
                )
            )
            .Add(
                6,
                4,
                Widget.Table(
                    "Longest now",
                    new Figure(
                        "Running time",
                        new Query("max", MetricCatalog.SessionDuration, "session", "user", "template")
                    )
                )
            );

    private static Grid Resources(Grid grid) =>
        grid.Add(
                4,
                4,
                Widget.Timeseries(
                    "CPU by template",
                    Widget.Lines(
                        new Figure("CPU, mean of sessions", new Query("avg", MetricCatalog.CpuUsage, "template"))
                    )
                )
            )
            .Add(
                4,
                4,
                Widget.Timeseries(
                    "Memory by template",
                    Widget.Areas(new Figure("Memory", new Query("sum", MetricCatalog.MemoryUsage, "template")))
                )
            )
            .Add(
                4,
                4,
                Widget.TopList(
                    "Storage by user",
                    new Figure("Home volume", new Query("sum", MetricCatalog.StorageUsage, "user"))
                )
            );

    private static Grid Users(Grid grid) =>
        grid.Add(
                6,
                3,
                Widget.Timeseries(
                    "Log-ins and log-outs",
                    Widget.Bars(
                        new Figure("Log-ins", new Query("sum", MetricCatalog.UserLogin)),
                        new Figure("Log-outs", "0 - {0}", new Query("sum", MetricCatalog.UserLogout))
                    )
                )
            )
            .Add(3, 3, Widget.Value("Users with a session", UserActivity.UsersWithASession))
            .Add(3, 3, Widget.Value("Accounts", new Figure("Accounts", new Query("max", MetricCatalog.UsersTotal))));

    private static Grid Collector(Grid grid) =>
        grid.Add(
                4,
                4,
                Widget.Timeseries(
                    "Sources up",
                    Widget.Lines(new Figure("Up", new Query("min", MetricCatalog.SourceUp, "source")))
                )
            )
            .Add(
                4,
                4,
                Widget.Timeseries(
                    "Sent",
                    Widget.Bars(new Figure("Delivered", new Query("sum", MetricCatalog.Delivered, "lane")))
                )
            )
            .Add(
                4,
                4,
                Widget.Timeseries(
                    "Waiting",
                    Widget.Areas(new Figure("Waiting", new Query("sum", MetricCatalog.Queued, "lane"))),
                    Widget.OnTheRight(Widget.Lines(new Figure("Oldest", new Query("max", MetricCatalog.QueueAge))))
                )
            );
}
