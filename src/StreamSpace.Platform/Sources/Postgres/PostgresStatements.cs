using Npgsql;
using NpgsqlTypes;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Every statement of a poll, each bounded and walking a primary key (docs/postgresql.md shows the plans). Times
/// without a zone are read as they stand.
/// </summary>
internal static class PostgresStatements
{
    /// <summary>Rows of audit_log that one poll takes from the new ones, and as many again from the holes.</summary>
    public const int AuditPage = 20_000;

    /// <summary>Users that one poll takes.</summary>
    public const int UserPage = 10_000;

    /// <summary>Sessions that one poll takes, once it has seen them all.</summary>
    public const int SessionPage = 1_000;

    /// <summary>Sessions that one poll takes before that, and of those that were changed lately.</summary>
    public const int FirstSessionPage = 10_000;

    /// <summary>Agents that one poll takes.</summary>
    public const int AgentPage = 1_000;

    /// <summary>True in a database of version 2.</summary>
    public const string IsV2 =
        "to_regclass('public.agents') IS NOT NULL AND to_regclass('public.agent_commands') IS NOT NULL";

    private static readonly string Agents = $"""
        (SELECT json_agg(json_build_array({Id("a.agent_id")}, {Name("a.platform")}, a.status = 'online',
            {Time("a.last_heartbeat")}))
        FROM (
            SELECT agent_id, platform, status, last_heartbeat FROM agents
            WHERE approval_status = 'approved' ORDER BY agent_id LIMIT {AgentPage}
        ) a)::text
        """;

    /// <summary>
    /// The server's clock and whose tables they are; with <paramref name="audit"/> the newest id, and $1: the id that we have
    /// come to, to see whether it is still the same row; with <paramref name="agents"/> the agents, as JSON.
    /// </summary>
    public static string Head(bool audit, bool agents) =>
        $"""
            SELECT now(), {IsV2}, {(agents ? Agents : "NULL::text")},
                {(audit ? NewestAudit : "NULL::bigint, NULL::timestamp")}
            """;

    private static readonly string NewestAudit = $"""
        (SELECT max(id) FROM audit_log)::bigint, (SELECT {Time("\"timestamp\"")} FROM audit_log WHERE id = $1)
        """;

    /// <summary>
    /// What audit_log says that we have not seen: $1: the id that we have come to; $2 and $3: the first and last
    /// ids of the holes below it.
    /// </summary>
    public static readonly string Audit = $"""
        (SELECT {AuditColumns} FROM audit_log a WHERE a.id > $1 ORDER BY a.id LIMIT {AuditPage})
        UNION ALL
        (SELECT late.* FROM unnest($2, $3) AS hole(low, high) CROSS JOIN LATERAL (
            SELECT {AuditColumns} FROM audit_log a WHERE a.id BETWEEN hole.low AND hole.high ORDER BY a.id LIMIT {AuditPage}
        ) late LIMIT {AuditPage})
        """;

    /// <summary>A page of users, and of each whether its name is too long; $1: the id that the page before ended with.</summary>
    public static readonly string Users = $"""
        SELECT {Id("id")}, {Name("username")}, {Time("created_at")}, coalesce(username <> '' AND NOT {IsName(
            "username"
        )}, false)
        FROM users WHERE id > $1 ORDER BY id LIMIT {UserPage}
        """;

    /// <summary>Whose last log-in lies in a time; $1 and $2: its ends. Asked only after log-ins were seen.</summary>
    public static readonly string LastLogins = $"""
        SELECT {Id("id")}, {Name("username")}, last_login FROM users
        WHERE last_login BETWEEN $1 AND $2 ORDER BY last_login LIMIT {UserPage}
        """;

    /// <summary>A page of sessions; $1: the id that the page before ended with; $2: its size.</summary>
    public static readonly string Sessions = $"""
        SELECT {Id("id")}, {Name("user_id")}, {Name("template_name")}, {Name("platform")}, {Time("created_at")}
        FROM sessions WHERE id > $1 ORDER BY id LIMIT $2
        """;

    /// <summary>
    /// Of version 2: a page of the sessions that are open, and those that were changed lately; $1: the id that the page
    /// before ended with; $2: its size; $3: since when; $4: the states of those that are open.
    /// </summary>
    public static readonly string SessionStates = $"""
        (SELECT {SessionColumns}, false FROM sessions WHERE updated_at >= $3 ORDER BY updated_at LIMIT {FirstSessionPage})
        UNION ALL
        (SELECT {SessionColumns}, true FROM sessions WHERE state = ANY($4) AND id > $1 ORDER BY id LIMIT $2)
        """;

    private static string SessionColumns =>
        $"""
            {Id("id")}, {Name("user_id")}, {Name("template_name")}, {Name("platform")}, {Time("created_at")},
                {Name("state")}, {Time("updated_at")}, coalesce(agent_id <> '', false)
            """;

    // What is no log-in, no log-out and no request for a session matters for its address and user alone
    // (docs/reference/streamspace.md §5.4).
    private static string AuditColumns =>
        $"""
            a.id::bigint, coalesce({Time("a.\"timestamp\"")}, localtimestamp), {Name("a.user_id")}, {Name(
                "a.ip_address"
            )},
                CASE WHEN a.action = 'POST' AND a.resource_type IN ('/api/v1/auth/login', '/api/v1/auth/logout')
                    AND a.changes->>'status_code' = '200' THEN a.resource_type
                    WHEN a.action = 'POST' AND a.resource_type = '/api/v1/sessions'
                    AND a.changes->>'status_code' IN ('202', '500') THEN a.changes->>'status_code' END,
                CASE WHEN a.resource_type = '/api/v1/auth/login' AND a.changes->>'duration_ms' ~ '^[0-9]+$'
                    AND length(a.changes->>'duration_ms') < 7 THEN (a.changes->>'duration_ms')::int END
            """;

    // So that no more than a name crosses the wire, whatever the column holds: the length in bytes is known without the
    // text being read, and only a text that is short enough is measured in characters.
    private static string Name(string column) => $"CASE WHEN {IsName(column)} THEN {column} END";

    // Never null, for the next page begins after it; one character more than a name may have tells that it is none.
    private static string Id(string column) => $"left({column}, {Names.Longest + 1})";

    private static string IsName(string column) =>
        $"CASE WHEN octet_length({column}) <= {Names.Longest * 4} THEN length({column}) <= {Names.Longest} ELSE false END";

    // A time that someone wrote by hand may lie beyond all that we can count with, or be infinite.
    private static string Time(string column) =>
        $"CASE WHEN {column} BETWEEN '1970-01-01' AND '2999-12-31' THEN {column} END";

    /// <summary>A statement with its parameters in order.</summary>
    public static NpgsqlBatchCommand With(string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        return command;
    }

    /// <summary>A time without a zone, or null, as a parameter by position.</summary>
    public static NpgsqlParameter Wall(DateTime? time) =>
        new() { Value = (object?)time ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Timestamp };

    /// <summary>A parameter by position.</summary>
    public static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };
}
