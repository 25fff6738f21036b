namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>
/// StreamSpace's database as the API of version 2 makes it of its own, or of one that version 1 left, and writes it
/// (docs/reference/streamspace.md §8). Times are the API's wall clock.
/// </summary>
public sealed class UpstreamV2(UpstreamDatabase database)
{
    /// <summary>The only agent of a cluster, unless there are others.</summary>
    public const string Agent = "k8s-agent-1";

    private const string Schema = """
        CREATE TABLE organizations (id varchar(255) PRIMARY KEY, name varchar(255) UNIQUE NOT NULL);
        INSERT INTO organizations VALUES ('default-org', 'default');
        CREATE TABLE agents (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), agent_id varchar(255) UNIQUE NOT NULL,
            platform varchar(50) NOT NULL, region varchar(100), status varchar(50) DEFAULT 'offline', capacity jsonb,
            last_heartbeat timestamp, websocket_id varchar(255), metadata jsonb,
            created_at timestamp DEFAULT CURRENT_TIMESTAMP, updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
            cluster_id varchar(255), cluster_name varchar(255), api_key_hash varchar(255),
            approval_status varchar(20) DEFAULT 'approved', approved_at timestamp, approved_by varchar(255),
            org_id varchar(255) REFERENCES organizations(id));
        CREATE TABLE agent_commands (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), command_id varchar(255) UNIQUE NOT NULL,
            agent_id varchar(255) REFERENCES agents(agent_id) ON DELETE CASCADE, session_id varchar(255),
            action varchar(50) NOT NULL, payload jsonb, status varchar(50) DEFAULT 'pending', error_message text,
            created_at timestamp DEFAULT CURRENT_TIMESTAMP, sent_at timestamp, acknowledged_at timestamp,
            completed_at timestamp);
        ALTER TABLE sessions ADD COLUMN agent_id varchar(255) REFERENCES agents(agent_id),
            ADD COLUMN cluster_id varchar(255), ADD COLUMN org_id varchar(255) REFERENCES organizations(id);
        UPDATE sessions SET org_id = 'default-org' WHERE org_id IS NULL;
        ALTER TABLE users ADD COLUMN org_id varchar(255) REFERENCES organizations(id);
        ALTER TABLE audit_log ADD COLUMN org_id varchar(255) REFERENCES organizations(id);
        """;

    /// <summary>The API of version 2 starts for the first time.</summary>
    public Task UpgradeAsync() => database.ExecuteAsync(Schema);

    /// <summary>An agent that an admin has approved, connected since <paramref name="at"/>.</summary>
    public Task ConnectAgentAsync(DateTime at, string agent = Agent, string platform = "kubernetes") =>
        database.ExecuteAsync(
            "INSERT INTO agents (agent_id, platform, status, last_heartbeat, cluster_id) VALUES ($1, $2, 'online', $3, 'here') "
                + "ON CONFLICT (agent_id) DO UPDATE SET status = 'online', last_heartbeat = $3, updated_at = $3",
            agent,
            platform,
            at
        );

    /// <summary>An agent that nobody has approved asks for it, as every 30 s.</summary>
    public async Task AskForApprovalAsync(DateTime at, string agent)
    {
        await database.ExecuteAsync(
            "INSERT INTO agents (agent_id, platform, status, last_heartbeat, approval_status) "
                + "VALUES ($1, 'kubernetes', 'offline', $2, 'pending') ON CONFLICT DO NOTHING",
            agent,
            at
        );
        await database.AuditAsync("POST", "/api/v1/agents/register", 202, at);
    }

    /// <summary>An agent's connection is lost.</summary>
    public Task DisconnectAgentAsync(string agent = Agent) =>
        database.ExecuteAsync("UPDATE agents SET status = 'offline' WHERE agent_id = $1", agent);

    /// <summary>POST /api/v1/sessions: the row, and the command that stays pending for ever.</summary>
    public async Task RequestAsync(
        string id,
        string userId,
        string template,
        DateTime at,
        string agent = Agent,
        string platform = "kubernetes"
    )
    {
        await database.ExecuteAsync(
            "INSERT INTO sessions (id, user_id, org_id, template_name, state, app_type, namespace, platform, agent_id, "
                + "cluster_id, created_at, updated_at) "
                + "VALUES ($1, $2, 'default-org', $3, 'pending', '', 'streamspace', $6, $4, 'here', $5, $5)",
            id,
            userId,
            template,
            agent,
            at,
            platform
        );
        await CommandAsync(id, "start_session", at, agent);
    }

    /// <summary>The agent says once, when the pod is ready, that the session runs.</summary>
    public Task RunAsync(string id, DateTime at) => SetStateAsync(id, "running", at);

    /// <summary>PUT …/hibernate: what becomes of it the agent never says.</summary>
    public async Task HibernateAsync(string id, DateTime at)
    {
        await CommandAsync(id, "hibernate_session", at);
        await SetStateAsync(id, "hibernating", at);
    }

    /// <summary>DELETE …: what becomes of it the agent never says.</summary>
    public async Task TerminateAsync(string id, DateTime at)
    {
        await CommandAsync(id, "stop_session", at);
        await SetStateAsync(id, "terminating", at);
    }

    /// <summary>The reconciler repeats the command, and the row stays as it is.</summary>
    public Task RepeatStopAsync(string id, DateTime at) => CommandAsync(id, "stop_session", at);

    /// <summary>A state, with the time.</summary>
    public Task SetStateAsync(string id, string state, DateTime at) =>
        database.ExecuteAsync("UPDATE sessions SET state = $2, updated_at = $3 WHERE id = $1", id, state, at);

    /// <summary>A batch route: a state without the time, and nobody is told.</summary>
    public Task BatchAsync(string id, string state) =>
        database.ExecuteAsync("UPDATE sessions SET state = $2 WHERE id = $1", id, state);

    /// <summary>A batch route deletes the row.</summary>
    public Task BatchDeleteAsync(string id) => database.ExecuteAsync("DELETE FROM sessions WHERE id = $1", id);

    private Task CommandAsync(string id, string action, DateTime at, string agent = Agent) =>
        database.ExecuteAsync(
            "INSERT INTO agent_commands (command_id, agent_id, session_id, action, created_at) "
                + "VALUES ('cmd-' || gen_random_uuid(), $1, $2, $3, $4)",
            agent,
            id,
            action,
            at
        );
}
