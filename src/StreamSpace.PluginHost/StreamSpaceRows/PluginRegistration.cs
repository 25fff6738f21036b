using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>What became of a registration.</summary>
/// <param name="Done">True when the rows are there now.</param>
/// <param name="Detail">What was done, or what is wrong and what to do, for a person.</param>
/// <param name="Sql">Statements that the owner of the database has to run first, or null.</param>
internal sealed record PluginRegistered(bool Done, string Detail, string? Sql);

/// <summary>
/// Writes the rows by which StreamSpace's Admin → Plugins page lists a plugin and edits its config, for StreamSpace's
/// own installation of plugins fails (docs/reference/streamspace.md §6.2).
/// </summary>
/// <param name="options">Where the database is, with a role that may write these rows.</param>
internal sealed class PluginRegistration(PostgresOptions options)
{
    // The catalogue row belongs to no repository: the sync replaces the rows of each repository with what it finds
    // there, and a plugin's own row then loses sight of its catalogue row (docs/reference/streamspace.md §5.3).
    private const string UpdateCatalog = """
        UPDATE catalog_plugins SET version = $2, display_name = $3, description = $4, category = $5, plugin_type = $6,
            manifest = $7, tags = $8
        WHERE id = (SELECT min(id) FROM catalog_plugins WHERE repository_id IS NULL AND name = $1)
        RETURNING id
        """;

    private const string InsertCatalog = """
        INSERT INTO catalog_plugins
            (name, version, display_name, description, category, plugin_type, icon_url, manifest, tags)
        VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8)
        RETURNING id
        """;

    // The page leaves out a row without a config or without someone who installed it. What the operator has set on
    // the page stays; updated_at moves only when something else does.
    private const string Install = """
        INSERT INTO installed_plugins AS p (catalog_plugin_id, name, version, enabled, config, installed_by)
        VALUES ($1, $2, $3, true, $4, (SELECT id FROM users WHERE role = 'admin' ORDER BY id <> 'admin', id LIMIT 1))
        ON CONFLICT (name) DO UPDATE SET catalog_plugin_id = $1, version = $3, updated_at = now(),
            config = coalesce(p.config, $4), installed_by = coalesce(p.installed_by, excluded.installed_by)
        WHERE (p.catalog_plugin_id, p.version) IS DISTINCT FROM ($1, $3)
            OR p.config IS NULL OR p.installed_by IS NULL
        RETURNING xmax = 0
        """;

    /// <summary>Makes the rows, or brings them up to date; a second call changes nothing.</summary>
    /// <param name="manifest">The plugin.</param>
    /// <param name="config">What a new row begins with; secrets in it are left out. A row that is there keeps its own.</param>
    /// <param name="cancellationToken">Gives up; nothing is written then.</param>
    public async Task<PluginRegistered> RegisterAsync(
        PluginManifest manifest,
        JsonObject config,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var database = options.Open(readOnly: false);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await LockAsync(connection, manifest.Name, cancellationToken);
            var catalog =
                await CatalogAsync(UpdateCatalog, connection, manifest, cancellationToken)
                ?? await CatalogAsync(InsertCatalog, connection, manifest, cancellationToken);
            var made = await InstallAsync(connection, manifest, catalog, config, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            var what = made switch
            {
                true => "is new on StreamSpace's page Admin → Plugins",
                false => $"was brought up to {manifest.Version} on StreamSpace's page Admin → Plugins",
                null => "was on StreamSpace's page Admin → Plugins already",
            };
            return new PluginRegistered(true, $"{manifest.DisplayName} {what} ({options.Shown}).", null);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return new PluginRegistered(
                false,
                $"The role {options.User} may not write into {options.Shown}: run this with the owner's DB_USER and DB_PASSWORD, or have the owner grant it first.",
                Grants(options.User)
            );
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            return new PluginRegistered(false, $"{options.Shown}: {PostgresErrorText.Of(e)}", null);
        }
    }

    /// <summary>What is needed besides to write our rows into StreamSpace's catalogue. The owner of the tables may as well do that.</summary>
    /// <param name="role">The role, as in <c>DB_USER</c>.</param>
    public static string Grants(string role) =>
        string.Join(
            '\n',
            $"GRANT SELECT (id, role) ON public.users TO {PostgresGrants.Quoted(role)};",
            $"GRANT SELECT, INSERT, UPDATE ON public.catalog_plugins, public.installed_plugins TO {PostgresGrants.Quoted(role)};",
            $"GRANT USAGE ON SEQUENCE public.catalog_plugins_id_seq, public.installed_plugins_id_seq TO {PostgresGrants.Quoted(role)};"
        );

    // Two registrations at once would make two catalogue rows, for no constraint forbids it without a repository.
    private static async Task LockAsync(NpgsqlConnection connection, string plugin, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", connection)
        {
            Parameters = { PostgresStatements.Value(plugin) },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<int?> CatalogAsync(
        string sql,
        NpgsqlConnection connection,
        PluginManifest manifest,
        CancellationToken cancellationToken
    )
    {
        var tags = (manifest.Json["tags"] as JsonArray ?? []).Select(t => t?.ToString() ?? "").ToArray();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                PostgresStatements.Value(manifest.Name),
                PostgresStatements.Value(manifest.Version),
                PostgresStatements.Value(manifest.DisplayName),
                PostgresStatements.Value(Text(manifest, "description")),
                PostgresStatements.Value(Text(manifest, "category")),
                PostgresStatements.Value(Text(manifest, "type")),
                Json(PageManifest(manifest)),
                PostgresStatements.Value(tags),
            },
        };
        return (int?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<bool?> InstallAsync(
        NpgsqlConnection connection,
        PluginManifest manifest,
        int? catalog,
        JsonObject config,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Install, connection)
        {
            Parameters =
            {
                PostgresStatements.Value(catalog ?? 0),
                PostgresStatements.Value(manifest.Name),
                PostgresStatements.Value(manifest.Version),
                Json(manifest.ConfigSchema.WithoutSecrets(config)),
            },
        };
        return (bool?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>
    /// The manifest as StreamSpace's page makes a form of it: without what is for nobody's eyes, for the page shows every
    /// field to everyone who is signed in, and with whole numbers as numbers, for it takes an integer for text
    /// (docs/reference/streamspace.md §7.3).
    /// </summary>
    internal static JsonObject PageManifest(PluginManifest manifest)
    {
        var page = (JsonObject)manifest.Json.DeepClone();
        if (page["configSchema"] is not JsonObject { } schema || schema["properties"] is not JsonObject properties)
        {
            return page;
        }
        foreach (var key in manifest.ConfigSchema.Keys.Where(manifest.ConfigSchema.IsSecret).ToList())
        {
            properties.Remove(key);
        }
        foreach (var property in properties.Select(p => p.Value).OfType<JsonObject>())
        {
            if (property["type"]?.ToString() is "integer")
            {
                property["type"] = "number";
            }
        }
        if (schema["required"] is JsonArray required)
        {
            schema["required"] = new JsonArray([
                .. required.Where(key => properties.ContainsKey(key!.ToString())).Select(key => key!.DeepClone()),
            ]);
        }
        return page;
    }

    private static string Text(PluginManifest manifest, string key) => manifest.Json[key]?.ToString() ?? "";

    private static NpgsqlParameter Json(JsonObject document) =>
        new() { Value = document.ToJsonString(), NpgsqlDbType = NpgsqlDbType.Jsonb };
}
