using System.Text.Json.Nodes;
using StreamSpace.Datadog.Mapping;

namespace StreamSpace.Datadog.Provisioning.Dashboards;

/// <summary>The specification's second dashboard, its widgets in its order and under its titles.</summary>
internal static class UserActivity
{
    public const string Key = "user-activity";
    public const string Title = "User Activity";

    public const string Description = "Who logs in, how many users there are, and who has sessions.";

    /// <summary>Users with at least one session that is meant to run.</summary>
    public static Figure UsersWithASession =>
        new("Users with a session", "count_nonzero({0})", new Query("sum", MetricCatalog.SessionActive, "user"));

    public static JsonArray Widgets() =>
        new Grid(Grid.Columns)
            .Add(
                6,
                4,
                Widget.Timeseries(
                    "User Logins",
                    Widget.Bars(new Figure("Log-ins", new Query("sum", MetricCatalog.UserLogin)))
                )
            )
            .Add(3, 4, Widget.Value("Active Users", new Figure("Accounts", new Query("max", MetricCatalog.UsersTotal))))
            // The one before counts accounts, whatever its title says.
            .Add(3, 4, Widget.Value("Users with a session", UsersWithASession))
            .Add(
                12,
                6,
                Widget.Table(
                    "User Sessions",
                    new Figure("Sessions", new Query("sum", MetricCatalog.SessionActive, "user"))
                )
            )
            .Widgets;
}
