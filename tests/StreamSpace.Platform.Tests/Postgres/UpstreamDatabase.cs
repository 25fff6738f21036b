using System.Text.Json.Nodes;
using Npgsql;
using StreamSpace.Platform.Sources.Postgres;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>
/// StreamSpace's database as its API makes and writes it (docs/reference/streamspace.md §5.2 to §5.4), as far as a
/// neighbour can see it. Times are the API's wall clock.
/// </summary>
public sealed class UpstreamDatabase : IAsyncDisposable
{
    private const string Schema = """
        CREATE TABLE users (
            id varchar(255) PRIMARY KEY, username varchar(255) UNIQUE NOT NULL, email varchar(255) UNIQUE NOT NULL,
            full_name varchar(255), role varchar(50), provider varchar(50), active boolean, password_hash varchar(255),
            created_at timestamp DEFAULT CURRENT_TIMESTAMP, updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
            last_login timestamp);
        CREATE TABLE sessions (
            id varchar(255) PRIMARY KEY, user_id varchar(255) REFERENCES users(id) ON DELETE CASCADE,
            template_name varchar(255), state varchar(50), app_type varchar(50), active_connections int DEFAULT 0,
            url text, namespace varchar(255), created_at timestamp DEFAULT CURRENT_TIMESTAMP, last_connection timestamp,
            last_disconnect timestamp, updated_at timestamp DEFAULT CURRENT_TIMESTAMP, snapshot_config jsonb,
            platform varchar(50), controller_id varchar(255), pod_name varchar(255), memory varchar(50), cpu varchar(50),
            persistent_home boolean, idle_timeout varchar(50), max_session_duration varchar(50), last_activity timestamp);
        CREATE INDEX idx_sessions_user_id ON sessions (user_id);
        CREATE INDEX idx_sessions_state ON sessions (state);
        CREATE INDEX idx_sessions_last_activity ON sessions (last_activity);
        CREATE TABLE audit_log (
            id serial PRIMARY KEY, user_id varchar(255), action varchar(100), resource_type varchar(100),
            resource_id varchar(255), changes jsonb, "timestamp" timestamp DEFAULT CURRENT_TIMESTAMP,
            ip_address varchar(45));
        CREATE INDEX idx_audit_log_timestamp ON audit_log ("timestamp" DESC);
        CREATE INDEX idx_audit_log_user_id ON audit_log (user_id);
        CREATE TABLE repositories (id serial PRIMARY KEY, name varchar(255) UNIQUE, url text NOT NULL);
        CREATE TABLE catalog_plugins (
            id serial PRIMARY KEY, repository_id int REFERENCES repositories(id) ON DELETE CASCADE,
            name varchar(255) NOT NULL, version varchar(50) NOT NULL, display_name varchar(255), description text,
            category varchar(100), plugin_type varchar(50) DEFAULT 'extension', icon_url text, manifest jsonb,
            tags text[], install_count int DEFAULT 0, avg_rating numeric(3,2) DEFAULT 0, rating_count int DEFAULT 0,
            created_at timestamp DEFAULT CURRENT_TIMESTAMP, updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
            UNIQUE (repository_id, name, version));
        CREATE TABLE installed_plugins (
            id serial PRIMARY KEY, catalog_plugin_id int REFERENCES catalog_plugins(id) ON DELETE SET NULL,
            name varchar(255) NOT NULL UNIQUE, version varchar(50) NOT NULL, enabled boolean DEFAULT true,
            config jsonb, installed_by varchar(255) REFERENCES users(id) ON DELETE SET NULL,
            installed_at timestamp DEFAULT CURRENT_TIMESTAMP, updated_at timestamp DEFAULT CURRENT_TIMESTAMP);
        INSERT INTO users (id, username, email, full_name, role, provider, active)
            VALUES ('admin', 'admin', 'admin@streamspace.local', 'Administrator', 'admin', 'local', true);
        """;

    private readonly NpgsqlDataSource _database;

    private UpstreamDatabase(PostgresServer server, string name)
    {
        Server = server;
        Name = name;
        _database = server.Connect(name);
    }

    /// <summary>The server that it is on.</summary>
    public PostgresServer Server { get; }

    /// <summary>The database's name.</summary>
    public string Name { get; }

    /// <summary>How the owner reaches it.</summary>
    public PostgresOptions Options => Server.Options(Name);

    /// <summary>Makes a database, with the tables unless told otherwise.</summary>
    public static async Task<UpstreamDatabase> CreateAsync(PostgresServer server, string name, bool tables = true)
    {
        await using (var cluster = server.Connect("postgres"))
        {
            await ExecuteAsync(cluster, $"CREATE DATABASE {name}");
        }
        var database = new UpstreamDatabase(server, name);
        if (tables)
        {
            await database.ExecuteAsync(Schema);
        }
        return database;
    }

    /// <summary>A connection of the API's pool.</summary>
    public async Task<NpgsqlConnection> OpenAsync() => await _database.OpenConnectionAsync();

    /// <summary>A role made by the very text that operators are given; how it reaches the database.</summary>
    public async Task<PostgresOptions> CreateReaderAsync(string role)
    {
        await ExecuteAsync(
            PostgresGrants.Read(role, Name).Replace("choose one", Secret.ReaderPassword, StringComparison.Ordinal)
        );
        return Server.Options(Name, role, Secret.ReaderPassword);
    }

    /// <summary>Runs SQL as the owner.</summary>
    public Task<int> ExecuteAsync(string sql, params object[] values) => ExecuteAsync(_database, sql, values);

    /// <summary>The first value of the first row.</summary>
    public async Task<T> ValueAsync<T>(string sql, params object[] values)
    {
        await using var command = _database.CreateCommand(sql);
        Bind(command.Parameters, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What POST /api/v1/users writes.</summary>
    public Task CreateUserAsync(string id, string name, DateTime at) =>
        ExecuteAsync(
            "INSERT INTO users (id, username, email, role, provider, active, password_hash, created_at, updated_at) "
                + "VALUES ($1, $2, $2 || '@example.org', 'user', 'local', true, 'hash', $3, $3)",
            id,
            name,
            at
        );

    /// <summary>What DELETE /api/v1/users/:id does.</summary>
    public Task DeleteUserAsync(string id) => ExecuteAsync("DELETE FROM users WHERE id = $1", id);

    /// <summary>What a password check that succeeds sets.</summary>
    public Task SetLastLoginAsync(string id, DateTime at) =>
        ExecuteAsync("UPDATE users SET last_login = $2, updated_at = $2 WHERE id = $1", id, at);

    /// <summary>A log-in as it leaves its traces: last_login while it runs, and the row afterwards.</summary>
    public async Task LogInAsync(string userId, DateTime at, string address = "10.0.0.1")
    {
        await SetLastLoginAsync(userId, at.AddMilliseconds(70));
        await AuditAsync("POST", "/api/v1/auth/login", 200, at, address: address, took: 82);
    }

    /// <summary>A log-out: its row names nobody.</summary>
    public Task LogOutAsync(DateTime at, string address = "10.0.0.1") =>
        AuditAsync("POST", "/api/v1/auth/logout", 200, at, address: address);

    /// <summary>The row that the API's middleware writes for a request.</summary>
    public async Task AuditAsync(
        string method,
        string path,
        int status,
        DateTime at,
        string userId = "",
        string address = "10.0.0.1",
        int took = 3
    )
    {
        await using var connection = await OpenAsync();
        await AuditAsync(connection, method, path, status, at, userId, address, took);
    }

    /// <summary>The same on a connection, which may have a transaction open: the row has its id then, and is not visible.</summary>
    public static async Task AuditAsync(
        NpgsqlConnection connection,
        string method,
        string path,
        int status,
        DateTime at,
        string userId = "",
        string address = "10.0.0.1",
        int took = 3
    )
    {
        var changes = new JsonObject
        {
            ["method"] = method,
            ["path"] = path,
            ["status_code"] = status,
            ["duration_ms"] = took,
            ["request_body"] = null,
            ["response_body"] = null,
            ["error"] = "",
            ["metadata"] = null,
        };
        await using var command = new NpgsqlCommand(
            "INSERT INTO audit_log (user_id, action, resource_type, resource_id, changes, \"timestamp\", ip_address) "
                + "VALUES ($1, $2, $3, '', $4::jsonb, $5, $6)",
            connection
        );
        Bind(command.Parameters, userId, method, path, changes.ToJsonString(), at, address);
        await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static async Task<int> ExecuteAsync(NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        Bind(command.Parameters, values);
        return await command.ExecuteNonQueryAsync();
    }

    private static void Bind(NpgsqlParameterCollection parameters, params object[] values)
    {
        foreach (var value in values)
        {
            parameters.Add(new NpgsqlParameter { Value = value });
        }
    }
}
