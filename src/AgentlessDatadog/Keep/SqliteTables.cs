using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace AgentlessDatadog;

/// <summary>
/// Reads and writes the tables of a store, within transactions that its caller begins and ends. Belongs to one thread.
/// </summary>
internal sealed class SqliteTables : IDisposable
{
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
        var contents = new SqliteContents(_connection).Read();
        _kept = _state = new State(contents.LastCut, contents.LastSequence, contents.LastPayload);
        return contents;
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

    // One row for all that were seen in the same second, as those of one call are.
    private void See(IReadOnlyList<SeenId> ids)
    {
        SeenId[] all = [.. ids];
        for (var from = 0; from < all.Length; )
        {
            var second = all[from].Second;
            var to = Array.FindIndex(all, from, id => id.Second != second);
            var run = to < 0 ? all.AsSpan(from) : all.AsSpan(from..to);
            _see.Run(second, SeenRow.Encode(run));
            from += run.Length;
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

    // SQLite's binding takes whole arrays only.
    private static byte[] Whole(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out var part) && part.Count == part.Array!.Length ? part.Array : body.ToArray();
}
