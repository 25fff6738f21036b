using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>Keeps the registry in tables of its own (<c>platform_…</c>) in a <see cref="HostFile"/>, one transaction per batch.</summary>
public sealed class SqliteRegistryStore : IRegistryStore
{
    private const int SchemaVersion = 1;

    private readonly HostConnection _connection;

    // The name of the next fact that is owed: they are read in the order of their names.
    private int _owed;

    /// <summary>Makes the tables where there are none.</summary>
    /// <exception cref="InvalidOperationException">A newer version of this program wrote the tables.</exception>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="SqliteException">The file is no database, is damaged, or stays locked by another.</exception>
    public SqliteRegistryStore(HostFile file)
    {
        _connection = file.Connect();
        try
        {
            _connection.Write(connection => Prepare(connection, file.Path));
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <summary>A setting in force, for tests: it is the connection's own, and no other door shows it.</summary>
    internal string? Setting(string pragma) =>
        _connection.Read(connection => new SqliteCommand($"PRAGMA {pragma}", connection).ExecuteScalar()?.ToString());

    RegistrySnapshot IRegistryStore.Load() => _connection.Read(Load);

    void IRegistryStore.Commit(
        RegistryChange change,
        IReadOnlyDictionary<string, string> checkpoints,
        OwedChange owed
    ) => _connection.Write(connection => Commit(connection, change, checkpoints, owed));

    private RegistrySnapshot Load(SqliteConnection connection)
    {
        var lives = new List<Life>();
        var names = new List<PlatformUser>();
        var owed = new List<PlatformEvent>();
        var damaged = new List<string>();
        UsersTotalled? users = null;
        var checkpoints = new Dictionary<string, string>(StringComparer.Ordinal);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT kind, name, value FROM platform_registry ORDER BY kind, name";
        using var rows = command.ExecuteReader();
        _owed = 0;
        while (rows.Read())
        {
            var (kind, name, value) = (rows.GetString(0), rows.GetString(1), rows.GetString(2));
            _owed += kind is Kinds.Owed ? 1 : 0;
            try
            {
                Read(kind, name, value);
            }
            // One that the disk has spoilt costs itself alone: the sources see again what is true.
            catch (JsonException)
            {
                damaged.Add($"{kind} {name}");
            }
        }
        return new RegistrySnapshot(lives, users, checkpoints)
        {
            Names = names,
            Owed = owed,
            Damaged = damaged,
        };

        void Read(string kind, string name, string value)
        {
            switch (kind)
            {
                case Kinds.Life:
                    lives.Add(RegistryJson.Read<Life>(value));
                    break;
                case Kinds.Users:
                    users = RegistryJson.Read<UsersTotalled>(value);
                    break;
                case Kinds.Name:
                    names.Add(new PlatformUser(name, value));
                    break;
                case Kinds.Owed:
                    owed.Add(OwedText.Read(value));
                    break;
                case Kinds.Checkpoint:
                    checkpoints[name] = value;
                    break;
            }
        }
    }

    private bool Commit(
        SqliteConnection connection,
        RegistryChange change,
        IReadOnlyDictionary<string, string> checkpoints,
        OwedChange owed
    )
    {
        using var transaction = connection.BeginTransaction();
        using var put = Statement(
            transaction,
            "INSERT INTO platform_registry (kind, name, value) VALUES ($kind, $name, $value) "
                + "ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value",
            "$kind",
            "$name",
            "$value"
        );
        using var delete = Statement(
            transaction,
            "DELETE FROM platform_registry WHERE kind = $kind AND name = $name",
            "$kind",
            "$name"
        );
        foreach (var life in change.Lives)
        {
            Run(put, Kinds.Life, life.Session.Id, RegistryJson.Write(life));
        }
        foreach (var id in change.Forgotten)
        {
            Run(delete, Kinds.Life, id);
        }
        if (change.Users is { } users)
        {
            Run(put, Kinds.Users, "", RegistryJson.Write(users));
        }
        foreach (var user in change.Names)
        {
            Run(put, Kinds.Name, user.Id!, user.Name!);
        }
        foreach (var (source, checkpoint) in checkpoints)
        {
            Run(put, Kinds.Checkpoint, source, checkpoint);
        }
        Keep(owed, put, transaction);
        transaction.Commit();
        return true;
    }

    private void Keep(OwedChange owed, SqliteCommand put, SqliteTransaction transaction)
    {
        if (owed.IsPaid)
        {
            using var clear = Statement(transaction, "DELETE FROM platform_registry WHERE kind = $kind", "$kind");
            Run(clear, Kinds.Owed);
            _owed = 0;
        }
        foreach (var fact in owed.Added)
        {
            Run(put, Kinds.Owed, (_owed++).ToString("D10", CultureInfo.InvariantCulture), OwedText.Write(fact));
        }
    }

    private static bool Prepare(SqliteConnection connection, string path)
    {
        Execute(
            connection,
            """
            CREATE TABLE IF NOT EXISTS platform_schema (version INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS platform_registry (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (kind, name)
            ) WITHOUT ROWID;
            """
        );
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT max(version) FROM platform_schema";
        if (command.ExecuteScalar() is not long version)
        {
            Execute(connection, $"INSERT INTO platform_schema (version) VALUES ({SchemaVersion})");
        }
        else if (version > SchemaVersion)
        {
            throw new InvalidOperationException(
                $"{path} was written by a newer version (platform schema {version}; this one knows {SchemaVersion}): "
                    + "start that version again, or give another data folder."
            );
        }
        return true;
    }

    private static SqliteCommand Statement(SqliteTransaction transaction, string sql, params string[] parameters)
    {
        var command = new SqliteCommand(sql, transaction.Connection, transaction);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter, SqliteType.Text);
        }
        return command;
    }

    private static void Run(SqliteCommand command, params string[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }
        command.ExecuteNonQuery();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = new SqliteCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static class Kinds
    {
        public const string Life = "life";
        public const string Users = "users";
        public const string Name = "name";
        public const string Checkpoint = "checkpoint";
        public const string Owed = "owed";
    }
}
