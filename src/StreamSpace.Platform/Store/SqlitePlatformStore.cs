using System.Text.Json;
using Microsoft.Data.Sqlite;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>
/// Keeps the registry and the log of facts in tables of their own (<c>platform_…</c>) in a <see cref="HostFile"/>, one
/// transaction per batch.
/// </summary>
public sealed class SqlitePlatformStore : IPlatformStore
{
    private const string FirstStep = """
        CREATE TABLE platform_registry (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (kind, name)
        ) WITHOUT ROWID;
        """;

    // Files of version 1 may have each of these, or not.
    private const string SecondStep = """
        CREATE TABLE IF NOT EXISTS platform_facts (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kept INTEGER NOT NULL,
            fact TEXT NOT NULL
        );
        CREATE TABLE IF NOT EXISTS platform_cursors (
            subscriber TEXT PRIMARY KEY,
            sequence INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS platform_log (id TEXT NOT NULL);
        ALTER TABLE platform_log ADD COLUMN first INTEGER NOT NULL DEFAULT 1;
        """;

    private readonly HostConnection _connection;
    private readonly SqliteFactTable _facts;

    /// <summary>Makes the tables where there are none.</summary>
    /// <exception cref="NotSupportedException">A newer version of this program wrote the tables.</exception>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="SqliteException">The file is no database, is damaged, or stays locked by another.</exception>
    public SqlitePlatformStore(HostFile file)
    {
        _connection = file.Connect();
        try
        {
            _connection.Migrate("platform", [FirstStep, SecondStep]);
            _facts = _connection.Write(connection => new SqliteFactTable(connection));
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
        _connection.Read(connection => connection.Scalar($"PRAGMA {pragma}")?.ToString());

    PlatformSnapshot IPlatformStore.Load() => _connection.Read(Load);

    IReadOnlyList<PlatformFact> IPlatformStore.Commit(PlatformChange change)
    {
        var added = _connection.Write(connection =>
        {
            using var transaction = connection.BeginTransaction();
            Keep(change.Registry, change.Checkpoints, transaction);
            var added = _facts.Keep(change, transaction);
            transaction.Commit();
            return added;
        });
        _facts.Committed(added);
        return added;
    }

    FactPage IPlatformStore.Read(long after, int atMost) =>
        _connection.Read(connection => _facts.Read(connection, after, atMost));

    private PlatformSnapshot Load(SqliteConnection connection)
    {
        var lives = new List<Life>();
        var names = new List<PlatformUser>();
        var damaged = new List<string>();
        UsersTotalled? users = null;
        ApiOutage? api = null;
        var checkpoints = new Dictionary<string, string>(StringComparer.Ordinal);
        using var command = connection.Statement("SELECT kind, name, value FROM platform_registry ORDER BY kind, name");
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var (kind, name, value) = (rows.GetString(0), rows.GetString(1), rows.GetString(2));
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
        return new PlatformSnapshot(lives, users, checkpoints)
        {
            Names = names,
            Api = api,
            LogId = _facts.LogId,
            LastSequence = _facts.Last,
            Cursors = SqliteFactTable.Cursors(connection),
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
                case Kinds.Api:
                    api = RegistryJson.Read<ApiOutage>(value);
                    break;
                case Kinds.Name:
                    names.Add(new PlatformUser(name, value));
                    break;
                case Kinds.Checkpoint:
                    checkpoints[name] = value;
                    break;
            }
        }
    }

    private static void Keep(
        RegistryChange change,
        IReadOnlyDictionary<string, string> checkpoints,
        SqliteTransaction transaction
    )
    {
        using var put = transaction.Statement(
            "INSERT INTO platform_registry (kind, name, value) VALUES ($1, $2, $3) "
                + "ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value"
        );
        using var delete = transaction.Statement("DELETE FROM platform_registry WHERE kind = $1 AND name = $2");
        foreach (var life in change.Lives)
        {
            put.Run(Kinds.Life, life.Session.Id, RegistryJson.Write(life));
        }
        foreach (var id in change.Forgotten)
        {
            delete.Run(Kinds.Life, id);
        }
        if (change.Users is { } users)
        {
            put.Run(Kinds.Users, "", RegistryJson.Write(users));
        }
        if (change.Api is { IsDifferent: true, Outage: { } outage })
        {
            put.Run(Kinds.Api, "", RegistryJson.Write(outage));
        }
        else if (change.Api.IsDifferent)
        {
            delete.Run(Kinds.Api, "");
        }
        foreach (var user in change.Names)
        {
            put.Run(Kinds.Name, user.Id!, user.Name!);
        }
        foreach (var (source, checkpoint) in checkpoints)
        {
            put.Run(Kinds.Checkpoint, source, checkpoint);
        }
    }

    private static class Kinds
    {
        public const string Life = "life";
        public const string Users = "users";
        public const string Api = "api";
        public const string Name = "name";
        public const string Checkpoint = "checkpoint";
    }
}
