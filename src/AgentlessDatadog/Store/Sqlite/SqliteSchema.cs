using NamedFiles;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// The tables of a <see cref="SqliteStore"/>, as <see cref="SchemaSteps"/>.
/// </summary>
internal sealed class SqliteSchema(IReadOnlyList<string> steps)
{
    // Numbers of accounts and metric types are on disk as they are in their enums.
    private const string FirstStep = """
        CREATE TABLE state (
            last_cut INTEGER NOT NULL,      -- Unix second
            last_sequence INTEGER NOT NULL,
            last_payload INTEGER NOT NULL
        );
        INSERT INTO state VALUES (0, 0, 0);
        CREATE TABLE journal (
            sequence INTEGER PRIMARY KEY,
            destination TEXT NOT NULL,
            crc INTEGER NOT NULL,           -- CRC-32C of measurements
            measurements BLOB NOT NULL      -- JournalRow
        );
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY,
            lane INTEGER NOT NULL,
            destination TEXT NOT NULL,
            path TEXT NOT NULL,
            content_type TEXT NOT NULL,
            content_encoding TEXT,
            size INTEGER NOT NULL,
            units INTEGER NOT NULL,
            oldest INTEGER NOT NULL,        -- ticks of 100 ns since the year 1, UTC
            crc INTEGER NOT NULL,           -- CRC-32C of body
            body BLOB NOT NULL
        );
        CREATE TABLE seen (
            arrival INTEGER PRIMARY KEY,
            second INTEGER NOT NULL,        -- Unix second
            hashes BLOB NOT NULL            -- 16 bytes for each id, little-endian
        );
        CREATE TABLE ledger (
            account INTEGER NOT NULL,
            lane INTEGER NOT NULL,
            reason TEXT NOT NULL,           -- empty for none
            units INTEGER NOT NULL,
            PRIMARY KEY (account, lane, reason)
        ) WITHOUT ROWID;
        """;

    private const string SecondStep = """
        CREATE TABLE seen_of_subjects (
            arrival INTEGER PRIMARY KEY,
            second INTEGER NOT NULL,        -- Unix second
            hashes BLOB NOT NULL            -- 16 bytes for each id, little-endian
        );
        CREATE TABLE loss (
            lane INTEGER NOT NULL,
            destination TEXT NOT NULL,
            units INTEGER NOT NULL,         -- given up and not told yet; below zero: told, and given up in a moment
            oldest INTEGER NOT NULL,        -- ticks of 100 ns since the year 1, UTC
            youngest INTEGER NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (lane, destination)
        ) WITHOUT ROWID;
        """;

    // Lanes by their names: until then they were numbers.
    private const string ThirdStep = """
        CREATE TABLE lane (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
        INSERT INTO lane VALUES (0, 'metrics'), (1, 'distributions'), (2, 'events');
        ALTER TABLE outbox RENAME TO numbered_outbox;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY,
            lane TEXT NOT NULL,
            destination TEXT NOT NULL,
            path TEXT NOT NULL,
            content_type TEXT NOT NULL,
            content_encoding TEXT,
            size INTEGER NOT NULL,
            units INTEGER NOT NULL,
            oldest INTEGER NOT NULL,        -- ticks of 100 ns since the year 1, UTC
            crc INTEGER NOT NULL,           -- CRC-32C of body
            body BLOB NOT NULL
        );
        INSERT INTO outbox SELECT id, name, destination, path, content_type, content_encoding, size, units, oldest, crc, body
            FROM numbered_outbox JOIN lane ON number = lane;
        DROP TABLE numbered_outbox;
        ALTER TABLE ledger RENAME TO numbered_ledger;
        CREATE TABLE ledger (
            account INTEGER NOT NULL,
            lane TEXT NOT NULL,
            reason TEXT NOT NULL,           -- empty for none
            units INTEGER NOT NULL,
            PRIMARY KEY (account, lane, reason)
        ) WITHOUT ROWID;
        INSERT INTO ledger SELECT account, name, reason, units FROM numbered_ledger JOIN lane ON number = lane;
        DROP TABLE numbered_ledger;
        ALTER TABLE loss RENAME TO numbered_loss;
        CREATE TABLE loss (
            lane TEXT NOT NULL,
            destination TEXT NOT NULL,
            units INTEGER NOT NULL,         -- given up and not told yet; below zero: told, and given up in a moment
            oldest INTEGER NOT NULL,        -- ticks of 100 ns since the year 1, UTC
            youngest INTEGER NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (lane, destination)
        ) WITHOUT ROWID;
        INSERT INTO loss SELECT name, destination, units, oldest, youngest, reason
            FROM numbered_loss JOIN lane ON number = lane;
        DROP TABLE numbered_loss;
        DROP TABLE lane;
        """;

    // Facts count by where their stream stands: of the ids those of calls with a key remain.
    private const string FourthStep = """
        DROP TABLE seen_of_subjects;
        ALTER TABLE seen RENAME TO seen_key;
        CREATE TABLE stream (
            move INTEGER PRIMARY KEY,       -- ascends in the order in which streams moved
            name TEXT NOT NULL UNIQUE,
            position INTEGER NOT NULL
        );
        """;

    private const string FifthStep = """
        CREATE TABLE item_type (
            arrival INTEGER PRIMARY KEY,    -- ascends in the order in which names came
            name TEXT NOT NULL UNIQUE,
            type INTEGER NOT NULL,
            since INTEGER NOT NULL          -- Unix second
        );
        """;

    private readonly SchemaSteps _steps = new(steps);

    public static IReadOnlyList<string> Steps { get; } = [FirstStep, SecondStep, ThirdStep, FourthStep, FifthStep];

    public static SqliteSchema Current { get; } = new(Steps);

    /// <summary>Brings a file to this version, all of it or nothing.</summary>
    /// <exception cref="NotSupportedException">It has been written by a newer version.</exception>
    /// <exception cref="StoreUnavailableException">A step does not fit the file, which is as it was.</exception>
    /// <exception cref="InvalidDataException">It says no version, but is not new.</exception>
    public void Migrate(SqliteDatabase database)
    {
        var version = (int)database.Prepare("PRAGMA user_version").Read(row => row.Number(0))[0];
        var ahead = _steps.From(version, database.Path);
        if (version == _steps.Version)
        {
            return;
        }

        if (version < 0 || (version == 0 && database.Prepare("SELECT 1 FROM sqlite_master").Read(_ => 0).Count > 0))
        {
            throw new InvalidDataException("its version is missing");
        }

        try
        {
            database.Run("BEGIN");
            foreach (var step in ahead.Append($"PRAGMA user_version = {_steps.Version}"))
            {
                database.Run(step);
            }

            database.Run("COMMIT");
        }
        // Its end takes the transaction back: whoever opens it closes it when this fails.
        catch (SqliteException error) when (error.Kind == SqliteException.Wrong)
        {
            throw new StoreUnavailableException(
                $"{database.Path} could not be brought from schema {version} to {_steps.Version}; it is as it was.",
                error
            );
        }
    }
}
