using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>Reads everything that a file holds, but the bodies.</summary>
internal sealed class SqliteContents(SqliteDatabase database)
{
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public StoreContents Read()
    {
        var states = ReadRows(
            "SELECT last_cut, last_sequence, last_payload FROM state",
            row => (Flush: row.Number(0), Sequence: row.Number(1), Request: row.Number(2))
        );
        if (states is not [var state])
        {
            throw new InvalidDataException("its state is missing");
        }

        return new(
            state.Flush,
            state.Sequence,
            state.Request,
            ReadRows("SELECT sequence, destination, crc, measurements FROM journal ORDER BY sequence", ReadEntry),
            ReadRows(
                """
                SELECT id, lane, destination, path, content_type, content_encoding, size, units, oldest
                FROM outbox ORDER BY id
                """,
                ReadHeader
            ),
            [
                .. ReadRows(
                        "SELECT second, hashes FROM seen_key ORDER BY arrival",
                        row => SeenKeyRow.Decode(row.Number(0), row.Bytes(1))
                    )
                    .SelectMany(keys => keys),
            ],
            // Acceptances come first, so that no account is ever below zero.
            ReadRows("SELECT account, lane, reason, units FROM ledger ORDER BY account, lane, reason", ReadMove),
            ReadRows("SELECT lane, destination, units, oldest, youngest, reason FROM loss WHERE units > 0", ReadLoss)
        )
        {
            Positions = ReadRows(
                "SELECT name, position FROM stream ORDER BY move",
                row => new StreamPosition(row.Text(0), row.Number(1))
            ),
            Types = ReadRows(
                "SELECT name, type, since FROM item_type ORDER BY arrival",
                row => new ItemType(
                    row.Text(0),
                    (MetricType)row.Number(1),
                    DateTimeOffset.FromUnixTimeSeconds(row.Number(2))
                )
            ),
        };
    }

    private List<T> ReadRows<T>(string sql, Func<SqliteStatement, T> read)
    {
        try
        {
            return database.Prepare(sql).Read(read);
        }
        // No value that was written is beyond its range.
        catch (ArgumentOutOfRangeException error)
        {
            throw new InvalidDataException("a value in it is not one that was written", error);
        }
    }

    private static JournalEntry ReadEntry(SqliteStatement row)
    {
        var bytes = row.Bytes(3);
        if (Checksum.Of(bytes) != row.Number(2))
        {
            throw new InvalidDataException($"entry {row.Number(0)} of its journal is damaged");
        }

        return JournalRow.Decode(row.Number(0), row.Text(1), bytes);
    }

    private static RequestHeader ReadHeader(SqliteStatement row) =>
        new(
            row.Number(0),
            Lane.Named(row.Text(1)),
            row.Text(2),
            row.Text(3),
            row.Text(4),
            row.TextOrNull(5),
            (int)row.Number(6),
            row.Number(7),
            new DateTimeOffset(row.Number(8), TimeSpan.Zero)
        );

    private static Loss ReadLoss(SqliteStatement row) =>
        new(
            Lane.Named(row.Text(0)),
            row.Text(1),
            row.Number(2),
            new DateTimeOffset(row.Number(3), TimeSpan.Zero),
            new DateTimeOffset(row.Number(4), TimeSpan.Zero),
            row.Text(5)
        );

    private static LedgerMove ReadMove(SqliteStatement row) =>
        new(
            Lane.Named(row.Text(1)),
            (Account)row.Number(0),
            row.Number(3),
            row.Text(2) is { Length: > 0 } reason ? reason : null
        );
}
