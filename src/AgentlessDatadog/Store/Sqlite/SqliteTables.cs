namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// Reads and writes the tables of a store, within transactions that its caller begins and ends. Belongs to one thread.
/// </summary>
internal sealed class SqliteTables : IDisposable
{
    // Free pages of 4 KiB that stay for the next flush, and how many of the others one commit gives back.
    private const long FreePagesKept = 1024;
    private const int PagesGivenBack = 256;

    // A stream that begins anew has another name: what became of the old ones matters no more.
    private const int StreamsKept = 64;

    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _writeState;
    private readonly SqliteStatement _append;
    private readonly SqliteStatement _flush;
    private readonly SqliteStatement _see;
    private readonly SqliteStatement _trimKeys;
    private readonly SqliteStatement _move;
    private readonly SqliteStatement _forgetStreams;
    private readonly SqliteStatement _type;
    private readonly SqliteStatement _trimTypes;
    private readonly SqliteStatement _releaseType;
    private readonly SqliteStatement _lose;
    private readonly SqliteStatement _told;
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

    private readonly record struct State(long LastFlush, long LastSequence, long LastRequest);

    /// <summary>Prepares everything. The database is its own from then on.</summary>
    public SqliteTables(SqliteDatabase database)
    {
        _database = database;
        _begin = database.Prepare("BEGIN");
        _commit = database.Prepare("COMMIT");
        _rollback = database.Prepare("ROLLBACK");
        _writeState = database.Prepare("UPDATE state SET last_cut = $1, last_sequence = $2, last_payload = $3");
        _append = database.Prepare("INSERT INTO journal VALUES ($1, $2, $3, $4)");
        _flush = database.Prepare("DELETE FROM journal WHERE sequence <= $1");
        _see = database.Prepare("INSERT INTO seen_key (second, hashes) VALUES ($1, $2)");
        // This looks at those that go and at one more.
        _trimKeys = database.Prepare(
            """
            DELETE FROM seen_key WHERE arrival < coalesce(
                (SELECT arrival FROM seen_key WHERE second >= $1 ORDER BY arrival LIMIT 1), 9223372036854775807)
            """
        );
        _move = database.Prepare("INSERT OR REPLACE INTO stream (name, position) VALUES ($1, $2)");
        _forgetStreams = database.Prepare(
            $"DELETE FROM stream WHERE move <= (SELECT move FROM stream ORDER BY move DESC LIMIT 1 OFFSET {StreamsKept})"
        );
        _type = database.Prepare("INSERT OR REPLACE INTO item_type (name, type, since) VALUES ($1, $2, $3)");
        _trimTypes = database.Prepare(
            $"DELETE FROM item_type WHERE arrival <= (SELECT arrival FROM item_type ORDER BY arrival DESC LIMIT 1 OFFSET {ItemTypes.MaxNames})"
        );
        _releaseType = database.Prepare("DELETE FROM item_type WHERE name = $1");
        _lose = database.Prepare(
            """
            INSERT INTO loss VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO UPDATE SET units = units + excluded.units,
                oldest = min(oldest, excluded.oldest), youngest = max(youngest, excluded.youngest)
            """
        );
        _told = database.Prepare("DELETE FROM loss WHERE units = 0");
        _insert = database.Prepare("INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
        _remove = database.Prepare("DELETE FROM outbox WHERE id = $1");
        _body = database.Prepare("SELECT crc, body FROM outbox WHERE id = $1");
        _book = database.Prepare(
            "INSERT INTO ledger VALUES ($1, $2, $3, $4) ON CONFLICT DO UPDATE SET units = units + excluded.units"
        );
        _countFree = database.Prepare("PRAGMA freelist_count");
        _giveBack = database.Prepare($"PRAGMA incremental_vacuum({PagesGivenBack})");
    }

    public SqliteDatabase Database => _database;

    public void Begin() => _begin.Run();

    public void Commit()
    {
        if (_state != _kept)
        {
            _writeState.Run(_state.LastFlush, _state.LastSequence, _state.LastRequest);
        }

        if (_hasFreed)
        {
            ReleasePages();
        }

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

    public void Append(JournalAppend append)
    {
        var journal = append.Journal;
        _state = _state with { LastSequence = journal.Sequence };
        if (!journal.IsEmpty)
        {
            var row = _row.Encode(journal);
            _append.Run(journal.Sequence, journal.Destination, (long)Checksum.Of(row), (ReadOnlyMemory<byte>)row);
        }
        // One row for all of the same second, as those of one append mostly are.
        foreach (var keys in append.Keys.GroupBy(key => key.Second))
        {
            _see.Run(keys.Key, (ReadOnlyMemory<byte>)SeenKeyRow.Encode([.. keys]));
        }

        Insert(append.Requests);
        Book(append.Moves);
        foreach (var (stream, position) in append.Positions)
        {
            _move.Run(stream, position);
        }

        if (append.Positions.Count > 0)
        {
            _forgetStreams.Run();
        }

        // In this order: a name may come again right after it was released.
        foreach (var name in append.ReleasedNames)
        {
            _releaseType.Run(name);
        }

        foreach (var (name, type, since) in append.Types)
        {
            _type.Run(name, (long)type, since.ToUnixTimeSeconds());
        }

        if (append.Types.Count > 0)
        {
            _trimTypes.Run();
        }
    }

    public void Flush(JournalFlush flush)
    {
        _state = _state with { LastFlush = flush.Second };
        _flush.Run(flush.Sequence);
        _trimKeys.Run(flush.TrimKeysBefore);
        Insert(flush.Requests);
        Book(flush.Moves);
        Book(flush.Reported);
        _hasFreed = true;
    }

    public void Settle(Settlement settlement)
    {
        Insert(settlement.Added);
        foreach (var request in settlement.Requests)
        {
            _remove.Run(request);
        }

        Book(settlement.Moves);
        Book(settlement.Lost);
        _hasFreed = true;
    }

    /// <exception cref="KeyNotFoundException">There is no such request.</exception>
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public byte[] Body(long request)
    {
        var rows = _body.Read(row => (Crc: row.Number(0), Bytes: row.Bytes(1)), request);
        if (rows is not [var body])
        {
            throw new KeyNotFoundException($"There is no request {request} in the outbox.");
        }

        return Checksum.Of(body.Bytes) == body.Crc
            ? body.Bytes
            : throw new InvalidDataException($"The body of request {request} has been damaged on the disk.");
    }

    /// <summary>Everything but the bodies.</summary>
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    public StoreContents ReadAll()
    {
        var contents = new SqliteContents(_database).Read();
        _kept = _state = new State(contents.LastFlush, contents.LastSequence, contents.LastRequest);
        return contents;
    }

    public void Dispose()
    {
        _database.Dispose();
    }

    private void Insert(IReadOnlyList<QueuedRequest> requests)
    {
        foreach (var (header, body) in requests)
        {
            _state = _state with { LastRequest = Math.Max(_state.LastRequest, header.Id) };
            _insert.Run(
                header.Id,
                header.Lane.Name,
                header.Destination,
                header.Path,
                header.ContentType,
                header.ContentEncoding,
                (long)header.Size,
                header.Units,
                header.Oldest.UtcTicks,
                (long)Checksum.Of(body.Span),
                body
            );
        }
    }

    private void Book(IReadOnlyList<LedgerMove> moves)
    {
        foreach (var move in moves)
        {
            _book.Run((long)move.To, move.Lane.Name, move.Reason ?? "", move.Units);
        }
    }

    private void Book(IReadOnlyList<Loss> losses)
    {
        foreach (var (lane, destination, units, from, to, reason) in losses)
        {
            _lose.Run(lane.Name, destination, units, from.UtcTicks, to.UtcTicks, reason);
        }

        if (losses.Count > 0)
        {
            _told.Run();
        }
    }

    private void ReleasePages()
    {
        if (_countFree.Read(row => row.Number(0)) is [> FreePagesKept])
        {
            _giveBack.Run();
        }
    }
}
