using Microsoft.Data.Sqlite;
using NamedFiles;
using SQLitePCL;

namespace StreamSpace.Platform.Store;

/// <summary>
/// The host's own SQLite file, which its stores share, each by a connection of its own: WAL, synchronous FULL, and readable
/// by its owner alone. What was written is on disk under the file's name: one that is taken away while it is in use is
/// written anew from what a connection still has. Any thread.
/// </summary>
/// <param name="path">Path of the file; its folder must exist.</param>
/// <param name="clock">Times what is told.</param>
public sealed class HostFile(string path, TimeProvider clock)
{
    private const int Busy = 5;
    private const int IoError = 10;

    private static readonly string[] Companions = ["-wal", "-shm"];

    private readonly FileWatch _watch = new(System.IO.Path.GetFullPath(path), Companions);
    private readonly Lock _writing = new();
    private readonly List<HostConnection> _connections = [];
    private int _generation;
    private volatile string? _warning;

    /// <summary>Where it lies.</summary>
    public string Path => path;

    /// <summary>What an operator should know of it although it works, in sentences; null for nothing.</summary>
    public string? Warning => _warning;

    /// <summary>Asked before each write: why nobody may write now, or null.</summary>
    public Func<string?> WriteBarrier { get; set; } = () => null;

    /// <summary>Opens one more connection; makes the file when there is none.</summary>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="SqliteException">The file is no database, is damaged, or stays locked by another.</exception>
    public HostConnection Connect()
    {
        lock (_writing)
        {
            var connection = new HostConnection(this, Open(), _generation);
            if (_connections.Count == 0)
            {
                _watch.Begin();
            }
            _connections.Add(connection);
            return connection;
        }
    }

    /// <summary>Sees to it that it lies under its name.</summary>
    /// <exception cref="SqliteException">It does not, and cannot be written anew; the message says why.</exception>
    public void Stand()
    {
        lock (_writing)
        {
            Stand(written: false);
        }
    }

    internal T Write<T>(HostConnection connection, Func<SqliteConnection, T> work)
    {
        lock (_writing)
        {
            Stand(written: false);
            var result = connection.Read(work);
            Stand(written: true);
            return result;
        }
    }

    /// <summary>The connection to go on with: it, or a new one when the file is another by now.</summary>
    internal (SqliteConnection Connection, int Generation) Current(SqliteConnection connection, int generation)
    {
        var now = Volatile.Read(ref _generation);
        if (now == generation)
        {
            return (connection, generation);
        }
        var next = Open();
        Leave(connection);
        return (next, now);
    }

    internal void Close(HostConnection connection)
    {
        lock (_writing)
        {
            if (_connections.Remove(connection))
            {
                connection.Let(c =>
                {
                    if (_watch.Lost(written: false) is not null)
                    {
                        Leave(c);
                    }
                    c.Dispose();
                });
            }
        }
    }

    // With the lock.
    private void Stand(bool written)
    {
        if (!written && WriteBarrier() is { } why)
        {
            throw new SqliteException(why, Busy);
        }
        if (_watch.Lost(written) is not { } lost)
        {
            return;
        }
        if (!lost.IsNameFree || _connections.Find(c => c.Generation == _generation) is not { } has)
        {
            throw new SqliteException(lost.Sentence, IoError);
        }
        try
        {
            _watch.PutBack(copy =>
                has.Let(connection =>
                {
                    using var command = new SqliteCommand("VACUUM INTO $copy", connection);
                    command.Parameters.AddWithValue("$copy", copy);
                    command.ExecuteNonQuery();
                })
            );
            Interlocked.Increment(ref _generation);
            // Opens the new one, and so makes its log.
            has.Read(_ => true);
            _watch.Begin();
            _warning =
                $"{lost.Sentence} It was written anew under its name at {clock.GetUtcNow():u}, and nothing in it is lost.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new SqliteException($"{lost.Sentence} It cannot be written anew: {Said(e)}", IoError);
        }
    }

    // The words of the machine name the folder, which is nobody's business but the operator's.
    private string Said(Exception e) =>
        e.Message.Replace(
            System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!,
            "…",
            StringComparison.Ordinal
        );

    // SQLite removes the log when it closes the last connection, by its name: it may be another's by now.
    private static void Leave(SqliteConnection connection)
    {
        _ = raw.sqlite3_db_config(connection.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
        connection.Dispose();
    }

    private SqliteConnection Open()
    {
        DatabaseFile.MakePrivate(path);
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Pooling = false,
                DefaultTimeout = 30,
            }.ToString()
        );
        try
        {
            connection.Open();
            using var command = new SqliteCommand(
                // The last makes it read, and so make its log.
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; SELECT count(*) FROM sqlite_master",
                connection
            );
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}

/// <summary>One store's connection to a <see cref="HostFile"/>. Any thread.</summary>
public sealed class HostConnection : IDisposable
{
    private readonly HostFile _file;
    private readonly Lock _using = new();
    private SqliteConnection _connection;

    internal HostConnection(HostFile file, SqliteConnection connection, int generation) =>
        (_file, _connection, Generation) = (file, connection, generation);

    internal int Generation { get; private set; }

    /// <summary>Reads; what is written here may be lost.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        lock (_using)
        {
            (_connection, Generation) = _file.Current(_connection, Generation);
            return work(_connection);
        }
    }

    /// <summary>Writes: when it returns, what <paramref name="work"/> has committed is on disk, under the file's name.</summary>
    /// <exception cref="SqliteException">SQLite could not, or the file is no longer under its name.</exception>
    public T Write<T>(Func<SqliteConnection, T> work) => _file.Write(this, work);

    /// <summary>Brings one owner's tables in the file to the version that it knows.</summary>
    /// <param name="owner">Whose: its version is in a table <c>{owner}_schema</c>.</param>
    /// <param name="steps">Step n leads from version n to n + 1; one that was released is never changed.</param>
    /// <exception cref="NotSupportedException">A newer version of this program wrote them.</exception>
    /// <exception cref="SqliteException">A step does not fit the tables, which are as they were.</exception>
    public void Migrate(string owner, IReadOnlyList<string> steps) =>
        Write(connection =>
        {
            var schema = new SchemaSteps(steps);
            using var transaction = connection.BeginTransaction();
            Ask($"CREATE TABLE IF NOT EXISTS {owner}_schema (version INTEGER NOT NULL)");
            var version = Ask($"SELECT max(version) FROM {owner}_schema") as long? ?? 0;
            foreach (var step in schema.From(version, _file.Path))
            {
                Ask(step);
            }
            if (version < schema.Version)
            {
                Ask($"INSERT INTO {owner}_schema (version) VALUES ({schema.Version})");
            }
            transaction.Commit();
            return schema.Version;

            object? Ask(string sql)
            {
                using var command = transaction.Statement(sql);
                return command.ExecuteScalar();
            }
        });

    /// <inheritdoc/>
    public void Dispose() => _file.Close(this);

    // As it is, whatever file that is by now.
    internal void Let(Action<SqliteConnection> work)
    {
        lock (_using)
        {
            work(_connection);
        }
    }
}
