using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using NamedFiles;
using StreamSpace.Platform.Store;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Data;

/// <summary>What is kept about a plugin.</summary>
/// <param name="Enabled">Whether the operator wants it to run.</param>
/// <param name="Config">The last config that was accepted, secrets included; null before the first.</param>
/// <param name="SecretsLost">True when the secrets could not be decrypted and are missing from <paramref name="Config"/>.</param>
internal sealed record StoredPlugin(bool Enabled, JsonObject? Config, bool SecretsLost);

/// <summary>
/// The plugins' part of <c>host.db</c>: enabled or not, and the config, whose secrets are encrypted with a key ring
/// that lives beside the file. The registry's tables in the same file belong to StreamSpace.Platform.
/// </summary>
internal sealed class HostStore : IDisposable
{
    private const string FirstStep = """
        CREATE TABLE plugins (
          name TEXT PRIMARY KEY,
          enabled INTEGER NOT NULL,
          config TEXT NOT NULL,
          secrets BLOB NOT NULL
        ) STRICT;
        """;

    // Files of version 1 may have them.
    private const string SecondStep = """
        CREATE TABLE IF NOT EXISTS plugin_databases (plugin TEXT PRIMARY KEY, names TEXT NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS plugin_rows (plugin TEXT PRIMARY KEY, row BLOB NOT NULL) STRICT;
        """;

    // SQLite's own numbers (sqlite.org/rescode.html). The first says that a statement does not fit the tables.
    private const int Wrong = 1;
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    private readonly HostConnection _connection;
    private readonly IDataProtector _protector;
    private string? _borrowed;

    /// <exception cref="StartupException">The file is of a newer version, or is damaged.</exception>
    public HostStore(string path, KeyRing keys, TimeProvider clock)
    {
        _protector = keys.CreateProtector("plugin secrets");
        File = new HostFile(path, clock);
        try
        {
            _connection = File.Connect();
            Verify(_connection);
            _connection.Migrate("host", [FirstStep, SecondStep]);
            VerifyConfigs(_connection);
        }
        catch (SqliteException e)
        {
            _connection?.Dispose();
            throw new StartupException(
                $"{path} cannot be read ({e.Message}): restore it, or start with another --data.",
                e
            );
        }
        catch (NotSupportedException e)
        {
            _connection!.Dispose();
            throw new StartupException($"{e.Message} --data names another folder.", e);
        }
    }

    /// <summary>The file, which it shares with the registry.</summary>
    public HostFile File { get; }

    /// <summary>What was found damaged, and where it lies now, or missing, in sentences; null when all was sound.</summary>
    public string? Damage { get; private init; }

    /// <summary>
    /// The store of the service, which alone works on the data folder: a damaged file is set aside, and a new one begun.
    /// </summary>
    /// <exception cref="StartupException">The file is of a newer version, or can neither be read nor moved.</exception>
    public static HostStore OfService(string file, KeyRing keys, TimeProvider clock)
    {
        try
        {
            var found = Missing(file) ?? LogDamage.Quarantine(file, clock.GetUtcNow());
            return new HostStore(file, keys, clock) { Damage = found };
        }
        catch (StartupException error)
            when (error.InnerException is SqliteException { SqliteErrorCode: Wrong or Corrupt or NotADatabase } damage)
        {
            var aside = MoveAside(file, clock.GetUtcNow());
            return new HostStore(file, keys, clock)
            {
                Damage =
                    $"{file} was damaged ({damage.Message.TrimEnd('.')}) and is set aside as {aside}: configs, switches and "
                    + "what was known of the platform begin anew.",
            };
        }
    }

    /// <summary>
    /// What a command looks at: the store of a data folder, beside the process that may work on it; where there is none yet,
    /// an empty one that goes with the command, and leaves the folder as it is.
    /// </summary>
    /// <exception cref="StartupException">The file is of a newer version, or is damaged.</exception>
    public static HostStore OfCommand(string dataFolder, TimeProvider clock)
    {
        var isKept = System.IO.File.Exists(Path.Combine(dataFolder, "host.db"));
        var folder = isKept ? dataFolder : Directory.CreateTempSubdirectory("streamspace-").FullName;
        var keys = Path.Combine(folder, "keys");
        PrivateFiles.MakeFolder(keys);
        return new HostStore(Path.Combine(folder, "host.db"), new KeyRing(keys), clock)
        {
            _borrowed = isKept ? null : folder,
        };
    }

    public StoredPlugin Read(string plugin) =>
        _connection.Read(connection =>
        {
            using var select = new SqliteCommand(
                "SELECT enabled, config, secrets FROM plugins WHERE name = $name",
                connection
            );
            select.Parameters.AddWithValue("$name", plugin);
            using var row = select.ExecuteReader();
            if (!row.Read())
            {
                return new StoredPlugin(Enabled: true, Config: null, SecretsLost: false);
            }
            var config = (JsonObject)JsonNode.Parse(row.GetString(1))!;
            var secrets = Unprotect((byte[])row.GetValue(2));
            foreach (var (key, value) in secrets ?? [])
            {
                config[key] = value?.DeepClone();
            }
            return new StoredPlugin(row.GetBoolean(0), config, SecretsLost: secrets is null);
        });

    public void SaveConfig(string plugin, JsonObject config, ConfigSchema schema)
    {
        var secrets = new JsonObject(
            config.Where(p => schema.IsSecret(p.Key)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
        );
        Write(
            """
            INSERT INTO plugins (name, enabled, config, secrets) VALUES ($name, TRUE, $config, $secrets)
            ON CONFLICT (name) DO UPDATE SET config = excluded.config, secrets = excluded.secrets
            """,
            ("$name", plugin),
            ("$config", schema.WithoutSecrets(config).ToJsonString()),
            ("$secrets", _protector.Protect(Encoding.UTF8.GetBytes(secrets.ToJsonString())))
        );
    }

    /// <summary>Keeps whether the operator wants a plugin to run. Its config must have been kept before.</summary>
    public void SaveEnabled(string plugin, bool enabled) =>
        Write("UPDATE plugins SET enabled = $enabled WHERE name = $name", ("$name", plugin), ("$enabled", enabled));

    /// <summary>Remembers which databases a plugin has in its data folder, so that one that is missing can be told.</summary>
    public void SaveDatabases(string plugin, IEnumerable<string> names)
    {
        var all = string.Join('\n', names.Order(StringComparer.Ordinal));
        if (all != string.Join('\n', Databases(plugin)))
        {
            Write(
                "INSERT INTO plugin_databases (plugin, names) VALUES ($plugin, $names) ON CONFLICT DO UPDATE SET names = $names",
                ("$plugin", plugin),
                ("$names", all)
            );
        }
    }

    /// <summary>Names of the databases that a plugin had when it ran last.</summary>
    public IReadOnlyList<string> Databases(string plugin) =>
        _connection.Read(connection =>
        {
            using var select = new SqliteCommand(
                "SELECT names FROM plugin_databases WHERE plugin = $plugin",
                connection
            );
            select.Parameters.AddWithValue("$plugin", plugin);
            return ((select.ExecuteScalar() as string) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        });

    /// <summary>Keeps what a plugin's row in StreamSpace's database said last, encrypted as secrets are; null for nothing.</summary>
    public void SaveRow(string plugin, JsonObject? row)
    {
        if (row is null)
        {
            Write("DELETE FROM plugin_rows WHERE plugin = $plugin", ("$plugin", plugin));
            return;
        }
        Write(
            "INSERT INTO plugin_rows (plugin, row) VALUES ($plugin, $row) ON CONFLICT DO UPDATE SET row = $row",
            ("$plugin", plugin),
            ("$row", _protector.Protect(Encoding.UTF8.GetBytes(row.ToJsonString())))
        );
    }

    /// <summary>What <see cref="SaveRow"/> kept; null for nothing, or when it can no longer be decrypted.</summary>
    public JsonObject? ReadRow(string plugin) =>
        _connection.Read(connection =>
        {
            using var select = new SqliteCommand("SELECT row FROM plugin_rows WHERE plugin = $plugin", connection);
            select.Parameters.AddWithValue("$plugin", plugin);
            return select.ExecuteScalar() is byte[] row ? Unprotect(row) : null;
        });

    /// <summary>Removes a plugin: its config, its secrets, its switch, its row, its databases.</summary>
    public void RemovePlugin(string plugin)
    {
        Write("DELETE FROM plugin_rows WHERE plugin = $name", ("$name", plugin));
        Write("DELETE FROM plugins WHERE name = $name", ("$name", plugin));
        Write("DELETE FROM plugin_databases WHERE plugin = $name", ("$name", plugin));
    }

    public void Dispose()
    {
        _connection.Dispose();
        if (_borrowed is not null)
        {
            Directory.Delete(_borrowed, recursive: true);
        }
    }

    // Plugins whose data is there have run with it. A fresh folder holds none.
    private static string? Missing(string file)
    {
        if (System.IO.File.Exists(file))
        {
            return null;
        }
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var plugins = Directory
            .EnumerateDirectories(folder)
            .Where(f => !PluginFolder.IsOurOwn(Path.GetFileName(f)) && Directory.EnumerateFiles(f, "*.db").Any())
            .Select(f => Path.GetFileName(f))
            .ToList();
        return plugins.Count == 0
            ? null
            : $"{file} is missing, though {string.Join(", ", plugins)} kept data beside it: configs, switches and what was "
                + "known of the platform begin anew, and facts that it owed to plugins are lost.";
    }

    private static string MoveAside(string file, DateTimeOffset now)
    {
        try
        {
            return DatabaseFile.Quarantine(file, now);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{file} is damaged and cannot be moved away: move it, or restore it.", e);
        }
    }

    private static void Verify(HostConnection host) =>
        host.Read(connection =>
            Ask(connection, "PRAGMA quick_check(1)") is not "ok"
                ? throw new SqliteException("its structure is damaged", Corrupt)
                : true
        );

    // What SQLite finds sound may still hold what was never written.
    private static void VerifyConfigs(HostConnection host) =>
        host.Read(connection =>
            Ask(connection, "SELECT count(*) FROM plugins WHERE NOT json_valid(config)") is not 0L
                ? throw new SqliteException("a config in it is damaged", Corrupt)
                : true
        );

    private JsonObject? Unprotect(byte[] secrets)
    {
        try
        {
            return (JsonObject)JsonNode.Parse(_protector.Unprotect(secrets))!;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // Into the main file at once: what an operator has set must not hang on a log that may be damaged.
    private void Write(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var parameters = values.ToArray().Select(v => new SqliteParameter(v.Name, v.Value)).ToList();
        _connection.Write(connection =>
        {
            using var command = new SqliteCommand(sql, connection);
            command.Parameters.AddRange(parameters);
            command.ExecuteNonQuery();
            return Ask(connection, "PRAGMA wal_checkpoint(PASSIVE)");
        });
    }

    // The text is ours alone, never an operator's: values go in as parameters.
    private static object? Ask(SqliteConnection connection, string sql)
    {
        using var command = new SqliteCommand(sql, connection);
        return command.ExecuteScalar();
    }
}
