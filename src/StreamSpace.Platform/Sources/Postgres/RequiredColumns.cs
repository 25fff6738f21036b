namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>Columns of one table that must be readable for one purpose.</summary>
/// <param name="Table">The table, in schema public.</param>
/// <param name="Columns">What is read of it, and nothing else.</param>
/// <param name="Purpose">What is lost without it, as a person says it.</param>
internal sealed record RequiredColumns(string Table, string[] Columns, string Purpose)
{
    public static readonly RequiredColumns Users = new(
        "users",
        ["id", "username", "created_at", "last_login"],
        "users in all, users created and deleted, and names"
    );

    public static readonly RequiredColumns Audit = new(
        "audit_log",
        ["id", "user_id", "action", "resource_type", "changes", "timestamp", "ip_address"],
        "log-ins and log-outs"
    );

    public static readonly RequiredColumns Sessions = new(
        "sessions",
        ["id", "user_id", "template_name", "created_at", "platform"],
        "user, template and creation of sessions that nobody else tells"
    );

    public static readonly RequiredColumns Plugins = new(
        "installed_plugins",
        ["name", "enabled", "config", "updated_at"],
        "the configuration on StreamSpace's own page"
    );

    /// <summary>Of version 2, in the place of <see cref="Sessions"/>.</summary>
    public static readonly RequiredColumns SessionStates = new(
        "sessions",
        ["id", "user_id", "template_name", "created_at", "platform", "state", "updated_at", "agent_id"],
        "sessions asked for, asleep, failed and ended"
    );

    /// <summary>Of version 2.</summary>
    public static readonly RequiredColumns Agents = new(
        "agents",
        ["agent_id", "platform", "status", "approval_status", "last_heartbeat"],
        "agents and their heartbeats"
    );

    private static readonly RequiredColumns[] OfV1 = [Users, Audit, Sessions, Plugins];
    private static readonly RequiredColumns[] OfV2 = [Users, Audit, SessionStates, Agents, Plugins];

    /// <summary>All that are needed of a version.</summary>
    public static RequiredColumns[] Of(StreamSpaceVersion version) => version is StreamSpaceVersion.V2 ? OfV2 : OfV1;

    /// <summary>The statement that grants it.</summary>
    public string Grant(string role) =>
        $"GRANT SELECT ({string.Join(", ", Columns)}) ON public.{Table} TO {PostgresGrants.Quoted(role)};";
}
