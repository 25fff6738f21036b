using Microsoft.Data.Sqlite;

namespace AgentlessDatadog;

/// <summary>Reads everything that a file holds, but the bodies.</summary>
internal sealed class SqliteContents(SqliteConnection connection)
{
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public StoreContents Read()
    {
        var states = ReadRows(
            "SELECT last_cut, last_sequence, last_payload FROM state",
            row => (Cut: row.GetInt64(0), Sequence: row.GetInt64(1), Payload: row.GetInt64(2))
        );
        if (states is not [var state])
            throw new InvalidDataException("its state is missing");
        return new(
            state.Cut,
            state.Sequence,
            state.Payload,
            ReadRows("SELECT sequence, destination, crc, measurements FROM journal ORDER BY sequence", ReadEntry),
            ReadRows(
                """
                SELECT id, lane, destination, path, content_type, content_encoding, size, units, oldest
                FROM outbox ORDER BY id
                """,
                ReadHeader
            ),
            [.. ReadRows("SELECT second, hashes FROM seen ORDER BY arrival", ReadSeen).SelectMany(ids => ids)],
            // Acceptances come first, so that no account is ever below zero.
            ReadRows("SELECT account, lane, reason, units FROM ledger ORDER BY account, lane, reason", ReadMove)
        );
    }

    private List<T> ReadRows<T>(string sql, Func<SqliteDataReader, T> read)
    {
        using var statement = new SqliteStatement(connection, sql);
        using var rows = statement.Read();
        List<T> all = [];
        try
        {
            while (rows.Read())
                all.Add(read(rows));
            return all;
        }
        // No value that was written is of another type or beyond its range.
        catch (Exception error) when (error is InvalidCastException or ArgumentException or ArithmeticException)
        {
            throw new InvalidDataException("a value in it is not one that was written", error);
        }
    }

    private static JournalEntry ReadEntry(SqliteDataReader row)
    {
        var measurements = row.GetFieldValue<byte[]>(3);
        if (Checksum.Of(measurements) != row.GetInt64(2))
            throw new InvalidDataException($"entry {row.GetInt64(0)} of its journal is damaged");
        return new JournalEntry(row.GetInt64(0), row.GetString(1), JournalRow.Decode(measurements));
    }

    private static PayloadHeader ReadHeader(SqliteDataReader row) =>
        new(
            row.GetInt64(0),
            (Lane)row.GetInt32(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            row.IsDBNull(5) ? null : row.GetString(5),
            row.GetInt32(6),
            row.GetInt64(7),
            new DateTimeOffset(row.GetInt64(8), TimeSpan.Zero)
        );

    private static IEnumerable<SeenId> ReadSeen(SqliteDataReader row) =>
        SeenRow.Decode(row.GetInt64(0), row.GetFieldValue<byte[]>(1));

    private static LedgerMove ReadMove(SqliteDataReader row) =>
        new(
            (Lane)row.GetInt32(1),
            (Account)row.GetInt32(0),
            row.GetInt64(3),
            row.GetString(2) is { Length: > 0 } reason ? reason : null
        );
}
