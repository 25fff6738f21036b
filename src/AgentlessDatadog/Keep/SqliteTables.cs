using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace AgentlessDatadog;

/// <summary>
/// Reads and writes the tables of a store, within transactions that its caller begins and ends. Belongs to one thread.
/// </summary>
internal sealed class SqliteTables : IDisposable
{
    private const int HashSize = 16;

    // Free pages of 4 KiB that stay for the next flush, and how many of the others one commit gives back.
    private const long FreePagesKept = 1024;
    private const int PagesGivenBack = 256;

    private readonly SqliteConnection _connection;
    private readonly List<SqliteStatement> _statements = [];
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _writeState;
    private readonly SqliteStatement _append;
    private readonly SqliteStatement _cut;
    private readonly SqliteStatement _see;
    private readonly SqliteStatement _forget;
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _remove;
    private readonly SqliteStatement _body;
    private readonly SqliteStatement _book;
    private readonly SqliteStatement _countFree;
    private readonly SqliteStatement _giveBack;
    private readonly JournalRow _row = new();

    // As it is on disk, and as the transaction under way leaves it.
    private State _kept;
    private State _state;
    private bool _hasFreed;

    private readonly record struct State(long LastCut, long LastSequence, long LastPayload);

    /// <summary>Prepares everything. The connection is its own from then on.</summary>
    public SqliteTables(SqliteConnection connection)
    {
        _connection = connection;
        _begin = Prepare("BEGIN");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _writeState = Prepare("UPDATE state SET last_cut = $1, last_sequence = $2, last_payload = $3", 3);
        _append = Prepare("INSERT INTO journal VALUES ($1, $2, $3, $4)", 4);
        _cut = Prepare("DELETE FROM journal WHERE sequence <= $1", 1);
        _see = Prepare("INSERT INTO seen (second, hashes) VALUES ($1, $2)", 2);
        // Ids lie in the order of their arrival, so this looks at those that go and at one more.
        _forget = Prepare(
            """
            DELETE FROM seen WHERE arrival < coalesce(
                (SELECT arrival FROM seen WHERE second >= $1 ORDER BY arrival LIMIT 1), 9223372036854775807)
            """,
            1
        );
        _insert = Prepare("INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", 11);
        _remove = Prepare("DELETE FROM outbox WHERE id = $1", 1);
        _body = Prepare("SELECT crc, body FROM outbox WHERE id = $1", 1);
        _book = Prepare(
            "INSERT INTO ledger VALUES ($1, $2, $3, $4) ON CONFLICT DO UPDATE SET units = units + excluded.units",
            4
        );
        _countFree = Prepare("PRAGMA freelist_count");
        _giveBack = Prepare($"PRAGMA incremental_vacuum({PagesGivenBack})");
    }

    public void Begin() => _begin.Run();

    public void Commit()
    {
        if (_state != _kept)
            _writeState.Run(_state.LastCut, _state.LastSequence, _state.LastPayload);
        if (_hasFreed)
            GiveBackRoom();
        _commit.Run();
        _kept = _state;
        _hasFreed = false;
    }

    public void Rollback()
    {
        _state = _kept;
        _hasFreed = false;
        try
        {
            _rollback.Run();
        }
        catch (SqliteException)
        {
            // SQLite has done it itself, as it does when the disk is full.
        }
    }

    public void Append(Arrivals arrivals)
    {
        var journal = arrivals.Journal;
        _state = _state with { LastSequence = journal.Sequence };
        if (journal.Measurements.Count > 0)
        {
            var row = _row.Encode(journal.Measurements);
            _append.Run(journal.Sequence, journal.Destination, Checksum.Of(row), row);
        }
        See(arrivals.Seen);
        Insert(arrivals.Payloads);
        Book(arrivals.Moves);
    }

    public void Cut(Cut cut)
    {
        _state = _state with { LastCut = cut.Second };
        _cut.Run(cut.Sequence);
        _forget.Run(cut.ForgetSeenBefore);
        Insert(cut.Payloads);
        Book(cut.Moves);
        _hasFreed = true;
    }

    public void Settle(Settlement settlement)
    {
        foreach (var payload in settlement.Payloads)
            _remove.Run(payload);
        Book(settlement.Moves);
        _hasFreed = true;
    }

    /// <exception cref="KeyNotFoundException">There is no such payload.</exception>
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public byte[] Body(long payload)
    {
        using var rows = _body.Read(payload);
        if (!rows.Read())
            throw new KeyNotFoundException($"There is no request {payload} in the outbox.");
        var body = rows.GetFieldValue<byte[]>(1);
        return Checksum.Of(body) == rows.GetInt64(0)
            ? body
            : throw new InvalidDataException($"The body of request {payload} has been damaged on the disk.");
    }

    /// <summary>Everything but the bodies.</summary>
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public StoreContents ReadAll()
    {
        var state = ReadState();
        _kept = _state = state;
        return new(
            state.LastCut,
            state.LastSequence,
            state.LastPayload,
            ReadRows("SELECT sequence, destination, crc, measurements FROM journal ORDER BY sequence", ReadEntry),
            ReadRows(
                """
                SELECT id, lane, destination, path, content_type, content_encoding, size, units, oldest
                FROM outbox ORDER BY id
                """,
                ReadHeader
            ),
            [.. ReadRows("SELECT second, hashes FROM seen ORDER BY arrival", ReadSeen).SelectMany(ids => ids)],
            // Accounts in their order: acceptances come first, so that no account is ever below zero.
            ReadRows("SELECT account, lane, reason, units FROM ledger", ReadMove)
        );
    }

    public void Dispose()
    {
        _statements.ForEach(statement => statement.Dispose());
        _connection.Dispose();
    }

    private SqliteStatement Prepare(string sql, int parameters = 0)
    {
        var statement = new SqliteStatement(_connection, sql, parameters);
        _statements.Add(statement);
        return statement;
    }

    private void See(IReadOnlyList<SeenId> ids)
    {
        for (var from = 0; from < ids.Count; )
        {
            var second = ids[from].Second;
            var count = ids.Skip(from).TakeWhile(id => id.Second == second).Count();
            var hashes = new byte[count * HashSize];
            for (var i = 0; i < count; i++)
                BinaryPrimitives.WriteUInt128LittleEndian(hashes.AsSpan(i * HashSize), ids[from + i].Hash);
            _see.Run(second, hashes);
            from += count;
        }
    }

    private void Insert(IReadOnlyList<Payload> payloads)
    {
        foreach (var (header, body) in payloads)
        {
            _state = _state with { LastPayload = Math.Max(_state.LastPayload, header.Id) };
            _insert.Run(
                header.Id,
                (int)header.Lane,
                header.Destination,
                header.Path,
                header.ContentType,
                header.ContentEncoding,
                header.Size,
                header.Units,
                header.Oldest.UtcTicks,
                Checksum.Of(body.Span),
                Whole(body)
            );
        }
    }

    private void Book(IReadOnlyList<LedgerMove> moves)
    {
        foreach (var move in moves)
            _book.Run((int)move.To, (int)move.Lane, move.Reason ?? "", move.Units);
    }

    private void GiveBackRoom()
    {
        using (var rows = _countFree.Read())
        {
            if (!rows.Read() || rows.GetInt64(0) <= FreePagesKept)
                return;
        }
        // Each row that is read gives back one page.
        using var pages = _giveBack.Read();
        while (pages.Read()) { }
    }

    private State ReadState() =>
        ReadRows("SELECT * FROM state", row => new State(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)))
            is [var state]
            ? state
            : throw new InvalidDataException("its state is missing");

    private List<T> ReadRows<T>(string sql, Func<SqliteDataReader, T> read)
    {
        using var statement = new SqliteStatement(_connection, sql);
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

    private static List<SeenId> ReadSeen(SqliteDataReader row)
    {
        var hashes = row.GetFieldValue<byte[]>(1);
        List<SeenId> ids = [];
        for (var at = 0; at + HashSize <= hashes.Length; at += HashSize)
            ids.Add(new SeenId(BinaryPrimitives.ReadUInt128LittleEndian(hashes.AsSpan(at)), row.GetInt64(0)));
        return ids;
    }

    private static LedgerMove ReadMove(SqliteDataReader row) =>
        new(
            (Lane)row.GetInt32(1),
            (Account)row.GetInt32(0),
            row.GetInt64(3),
            row.GetString(2) is { Length: > 0 } reason ? reason : null
        );

    // SQLite's binding takes whole arrays only.
    private static byte[] Whole(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out var part) && part.Count == part.Array!.Length ? part.Array : body.ToArray();
}
