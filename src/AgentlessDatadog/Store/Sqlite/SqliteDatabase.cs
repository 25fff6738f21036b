using SQLitePCL;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// A connection. SQLite is called directly: an ADO.NET provider hangs handlers on the process when it is first used,
/// and so keeps a plugin that contains it from being unloaded. Belongs to one thread at a time.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    // For a process that is just ending to let go of the file.
    private const int BusyTimeoutMilliseconds = 1000;

    private readonly sqlite3 _handle;
    private readonly List<SqliteStatement> _statements = [];

    static SqliteDatabase() => Batteries_V2.Init();

    /// <summary>Opens a file that exists.</summary>
    /// <exception cref="SqliteException">SQLite could not.</exception>
    public SqliteDatabase(string path)
    {
        Path = path;
        var code = raw.sqlite3_open_v2(path, out _handle, raw.SQLITE_OPEN_READWRITE, null);
        if (code != raw.SQLITE_OK)
        {
            _handle.Dispose();
            throw new SqliteException(code, raw.sqlite3_errstr(code).utf8_to_string());
        }
        _ = raw.sqlite3_busy_timeout(_handle, BusyTimeoutMilliseconds);
    }

    public string Path { get; }

    /// <summary>Whether SQLite has opened it for reading alone, as it does when it may not write.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(_handle, "main") == 1;

    /// <summary>Runs statements one after another.</summary>
    /// <exception cref="SqliteException">One of them failed; those before it have run.</exception>
    public void Run(string sql)
    {
        if (raw.sqlite3_exec(_handle, sql) != raw.SQLITE_OK)
        {
            throw Failure();
        }
    }

    /// <summary>Prepares a statement, which lives as long as the connection.</summary>
    /// <exception cref="SqliteException">It is not one, or does not fit the tables.</exception>
    public SqliteStatement Prepare(string sql)
    {
        if (raw.sqlite3_prepare_v2(_handle, sql, out var handle) != raw.SQLITE_OK)
        {
            throw Failure();
        }

        var statement = new SqliteStatement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>
    /// Leaves the files as they are when it is closed. Otherwise SQLite removes the log then, by its name, under which
    /// another's may lie.
    /// </summary>
    public void LeaveFiles() => _ = raw.sqlite3_db_config(_handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);

    /// <summary>What the last call failed with.</summary>
    public SqliteException Failure() =>
        new(raw.sqlite3_extended_errcode(_handle), raw.sqlite3_errmsg(_handle).utf8_to_string());

    public void Dispose()
    {
        _statements.ForEach(statement => statement.Dispose());
        _handle.Dispose();
    }
}
