using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

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
    private const int SchemaVersion = 1;

    // SQLite's own numbers (sqlite.org/rescode.html). The first says that a statement does not fit the tables.
    private const int Wrong = 1;
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    private static readonly string[] Companions = ["-wal", "-shm", "-journal"];

    private readonly Lock _lock = new();
    private readonly SqliteConnection _connection;
    private readonly IDataProtector _protector;

    /// <exception cref="StartFault">The file is of a later version, or is damaged.</exception>
    public HostStore(string file, KeyRing keys)
    {
        _protector = keys.CreateProtector("plugin secrets");
        // SQLite gives its side files the mode of the main one, so that is made first.
        OwnerOnly.MakeFile(file);
        foreach (var companion in Companions)
        {
            OwnerOnly.Close(file + companion);
        }
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString()
        );
        try
        {
            _connection.Open();
            Prepare(file);
        }
        catch (SqliteException e)
        {
            _connection.Dispose();
            throw new StartFault($"{file} cannot be read ({e.Message}): restore it, or start with another --data.", e);
        }
        catch (StartFault)
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>What was found damaged and where it lies now, in one sentence; null when all was sound.</summary>
    public string? SetAside { get; private init; }

    /// <summary>
    /// The store of the service, which alone works on the data folder: a damaged file is set aside, and a new one begun.
    /// </summary>
    /// <exception cref="StartFault">The file is of a later version, or can neither be read nor moved.</exception>
    public static HostStore OfService(string file, KeyRing keys, TimeProvider clock)
    {
        try
        {
            return new HostStore(file, keys);
        }
        catch (StartFault fault)
            when (fault.InnerException is SqliteException { SqliteErrorCode: Wrong or Corrupt or NotADatabase } damage)
        {
            var aside = MoveAside(file, clock.GetUtcNow());
            return new HostStore(file, keys)
            {
                SetAside =
                    $"{file} was damaged ({damage.Message.TrimEnd('.')}) and is set aside as {aside}: configs, switches and "
                    + "what was known of the platform begin anew.",
            };
        }
    }

    /// <summary>The store of a data folder, beside the process that may work on it.</summary>
    /// <exception cref="StartFault">The file is of a later version, or is damaged.</exception>
    public static HostStore Of(string dataFolder)
    {
        var keys = Path.Combine(dataFolder, "keys");
        OwnerOnly.MakeFolder(keys);
        return new HostStore(Path.Combine(dataFolder, "host.db"), new KeyRing(keys));
    }

    public StoredPlugin Read(string plugin)
    {
        lock (_lock)
        {
            using var select = Command("SELECT enabled, config, secrets FROM plugins WHERE name = $name");
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
        }
    }

    public void SaveConfig(string plugin, JsonObject config, ConfigSchema schema)
    {
        var secrets = new JsonObject(
            config.Where(p => schema.IsSecret(p.Key)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
        );
        lock (_lock)
        {
            using var upsert = Command(
                """
                INSERT INTO plugins (name, enabled, config, secrets) VALUES ($name, TRUE, $config, $secrets)
                ON CONFLICT (name) DO UPDATE SET config = excluded.config, secrets = excluded.secrets
                """
            );
            upsert.Parameters.AddWithValue("$name", plugin);
            upsert.Parameters.AddWithValue("$config", schema.WithoutSecrets(config).ToJsonString());
            upsert.Parameters.AddWithValue(
                "$secrets",
                _protector.Protect(Encoding.UTF8.GetBytes(secrets.ToJsonString()))
            );
            upsert.ExecuteNonQuery();
        }
    }

    /// <summary>Keeps whether the operator wants a plugin to run. Its config must have been kept before.</summary>
    public void SaveEnabled(string plugin, bool enabled)
    {
        lock (_lock)
        {
            using var update = Command("UPDATE plugins SET enabled = $enabled WHERE name = $name");
            update.Parameters.AddWithValue("$name", plugin);
            update.Parameters.AddWithValue("$enabled", enabled);
            update.ExecuteNonQuery();
        }
    }

    /// <summary>Forgets a plugin: its config, its secrets, its switch.</summary>
    public void Forget(string plugin)
    {
        lock (_lock)
        {
            using var delete = Command("DELETE FROM plugins WHERE name = $name");
            delete.Parameters.AddWithValue("$name", plugin);
            delete.ExecuteNonQuery();
        }
    }

    public void Dispose() => _connection.Dispose();

    private static string MoveAside(string file, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = $"{file}.damaged-{stamp}";
        for (var n = 2; File.Exists(aside); n++)
        {
            aside = $"{file}.damaged-{stamp}-{n}";
        }
        try
        {
            // The file itself goes last: a new one must never find what belonged to it.
            foreach (var part in Companions.Append("").Where(part => File.Exists(file + part)))
            {
                File.Move(file + part, aside + part, overwrite: true);
            }
            return aside;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartFault($"{file} is damaged and cannot be moved away: move it, or restore it.", e);
        }
    }

    private void Prepare(string file)
    {
        Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        using var check = Command("PRAGMA quick_check(1)");
        if (check.ExecuteScalar() is not "ok")
        {
            throw new SqliteException("its structure is damaged", Corrupt);
        }
        Execute("CREATE TABLE IF NOT EXISTS host_schema (version INTEGER NOT NULL)");
        using var select = Command("SELECT max(version) FROM host_schema");
        switch (select.ExecuteScalar())
        {
            case long version and not SchemaVersion:
                throw new StartFault(
                    $"{file} was written by a later version of this program (schema {version}, known up to {SchemaVersion}): start that one, or name another folder with --data."
                );
            case long:
                Verify();
                return;
        }
        Execute(
            $"""
            BEGIN;
            CREATE TABLE plugins (
              name TEXT PRIMARY KEY,
              enabled INTEGER NOT NULL,
              config TEXT NOT NULL,
              secrets BLOB NOT NULL
            ) STRICT;
            INSERT INTO host_schema (version) VALUES ({SchemaVersion});
            COMMIT;
            """
        );
    }

    // What SQLite finds sound may still hold what was never written.
    private void Verify()
    {
        using var count = Command("SELECT count(*) FROM plugins WHERE NOT json_valid(config)");
        if (count.ExecuteScalar() is not 0L)
        {
            throw new SqliteException("a config in it is damaged", Corrupt);
        }
    }

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

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    // The text is ours alone, never an operator's: values go in as parameters.
    private SqliteCommand Command(string sql) => new(sql, _connection);
}
