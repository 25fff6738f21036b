using NamedFiles;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// A SQLite file that belongs to one connection, of one process, and that its owner alone may read.
/// </summary>
internal sealed class SqliteFile(string path, SqliteSchema schema)
{
    private readonly FileWatch _watch = new(System.IO.Path.GetFullPath(path), "-wal");

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Opens it, sound and of the current version.</summary>
    /// <exception cref="SqliteException">SQLite could not.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="StoreUnavailableException">It is read-only, or of a version that cannot be brought up.</exception>
    /// <exception cref="NotSupportedException">A newer version has written it.</exception>
    public SqliteDatabase Open()
    {
        DatabaseFile.MakePrivate(Path);
        var database = new SqliteDatabase(Path);
        try
        {
            // SQLite opens what it may not write all the same, and then stumbles over it in ways that say less.
            if (database.IsReadOnly)
            {
                throw new StoreUnavailableException($"{Name} is read-only.");
            }
            // What an outage has filled is given back page by page; only an empty file can still be made for that.
            if (new FileInfo(Path).Length == 0)
            {
                database.Run("PRAGMA auto_vacuum = INCREMENTAL");
            }
            // Exclusive: no second process can use the file, and none shares memory with us. A log that a backlog has
            // blown up is cut when it begins anew.
            database.Run(
                """
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA journal_size_limit = 16777216;
                PRAGMA temp_store = MEMORY;
                """
            );
            Check(database);
            schema.Migrate(database);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>From now on what lies under the name is the file that is open.</summary>
    public void BeginWatch() => _watch.Begin();

    /// <inheritdoc cref="FileWatch.Lost"/>
    public LostFile? Lost(bool written) => _watch.Lost(written);

    /// <summary>
    /// Writes all that a connection sees to a new file, puts that under the name and opens it: whatever is missing there,
    /// the connection still has. The connection is not closed.
    /// </summary>
    /// <exception cref="SqliteException">SQLite could not.</exception>
    /// <exception cref="IOException">The disk could not.</exception>
    public SqliteDatabase PutBack(SqliteDatabase open)
    {
        _watch.PutBack(copy => open.Prepare("VACUUM INTO $1").Run(copy));
        return Open();
    }

    /// <summary>Why a failed opening means that the file is damaged, or null when it does not.</summary>
    public static string? Damage(Exception error) =>
        error switch
        {
            InvalidDataException => error.Message,
            SqliteException { Kind: SqliteException.NotADatabase } => "it is not a database",
            SqliteException { Kind: SqliteException.Wrong } => "its tables are not those of its version",
            SqliteException { Kind: SqliteException.Corrupt } => "its structure is damaged",
            _ => null,
        };

    /// <summary>Puts the file out of the way, with what belongs to it.</summary>
    public QuarantinedFile Quarantine(string reason, DateTimeOffset now) =>
        new(DatabaseFile.Quarantine(Path, now), reason);

    /// <summary>What a failure means to the caller of a store.</summary>
    public Exception Explain(Exception error, bool mayBeDurable = false) =>
        error switch
        {
            SqliteException { Kind: SqliteException.Constraint } => new ArgumentException(
                "A sequence or an id was given that is in use already.",
                error
            ),
            SqliteException or IOException or UnauthorizedAccessException => new StoreUnavailableException(
                Sentence(error),
                error
            )
            {
                MayBeDurable = mayBeDurable,
            },
            _ => error,
        };

    // In answers and on pages: where the file lies is nobody's business but the operator's, who has told it.
    private string Name => System.IO.Path.GetFileName(Path);

    private string Sentence(Exception error) =>
        error switch
        {
            SqliteException { Kind: SqliteException.Full } => $"The disk of {Name} is full.",
            SqliteException { Kind: SqliteException.ReadOnly } => $"{Name} is read-only.",
            SqliteException { Kind: SqliteException.Busy } => $"{Name} is in use by another process.",
            SqliteException { Kind: SqliteException.CannotOpen } =>
                $"{Name} cannot be opened: its folder must exist and be writable.",
            SqliteException { Kind: SqliteException.IoError } io =>
                $"The disk of {Name} failed (SQLite error {io.Code}).",
            SqliteException { Kind: SqliteException.Corrupt or SqliteException.NotADatabase } =>
                $"{Name} is damaged; the next start sets it aside and begins a new file.",
            SqliteException other => $"{Name} cannot be used (SQLite error {other.Code}).",
            _ => $"{Name} cannot be used: {error.Message.Replace(Path, Name, StringComparison.Ordinal)}",
        };

    private static void Check(SqliteDatabase database)
    {
        if (database.Prepare("PRAGMA quick_check(1)").Read(row => row.Text(0)) is not ["ok"])
        {
            throw new InvalidDataException("its structure is damaged");
        }
    }
}
