using System.Threading.Channels;
using NamedFiles;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// Keeps everything in one SQLite file, on disk before a call returns. All that is asked while a commit is under way
/// shares the next one, without a timer. The file belongs to one store at a time and its owner alone may read it.
/// </summary>
internal sealed class SqliteStore : ITelemetryStore
{
    // So that nobody waits behind a transaction without end.
    private const int MaxShared = 256;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private readonly SqliteFile _file;
    private readonly TimeProvider _clock;
    private readonly Channel<Work> _waiting = Channel.CreateUnbounded<Work>(new() { SingleReader = true });
    private SqliteTables? _tables;
    private volatile string? _putBack;
    private Task _opening = Task.CompletedTask;
    private Task _loop = Task.CompletedTask;
    private volatile bool _isDisposed;

    /// <summary>Names the file; <see cref="OpenAsync"/> makes it when there is none. Its folder must exist.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="clock">Names what is set aside, and times what is tried again.</param>
    public SqliteStore(string path, TimeProvider clock)
        : this(path, clock, SqliteSchema.Current) { }

    internal SqliteStore(string path, TimeProvider clock, SqliteSchema schema)
    {
        _file = new SqliteFile(path, schema);
        _clock = clock;
    }

    /// <summary>
    /// Reads what an earlier process left. A damaged file is set aside, and the contents say so. After a failure it may
    /// be called again.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The file cannot be read and written now.</exception>
    /// <exception cref="NotSupportedException">A newer version of this program has written the file.</exception>
    public async ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_tables is not null)
        {
            throw new InvalidOperationException("The store is open.");
        }

        var opening = Task.Run(Open, cancellationToken);
        _opening = opening;
        var contents = await opening.ConfigureAwait(false);
        _loop = Task.Run(CommitAllAsync, CancellationToken.None);
        return contents;
    }

    /// <inheritdoc/>
    public string? Warning => _putBack;

    /// <inheritdoc/>
    /// <exception cref="StoreUnavailableException">Nothing of it is kept.</exception>
    public ValueTask AppendAsync(JournalAppend append, CancellationToken cancellationToken) =>
        WriteAsync(tables => tables.Append(append), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="StoreUnavailableException">Nothing of it is kept.</exception>
    public ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken) =>
        WriteAsync(tables => tables.Flush(flush), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="StoreUnavailableException">Nothing of it is kept.</exception>
    public ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken) =>
        WriteAsync(tables => tables.Settle(settlement), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="KeyNotFoundException">There is no such request.</exception>
    /// <exception cref="InvalidDataException">The body has been damaged on the disk.</exception>
    /// <exception cref="StoreUnavailableException">It cannot be read now.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long request, CancellationToken cancellationToken)
    {
        byte[] body = [];
        await AskAsync(new Work(tables => body = tables.Body(request), Keeps: false, cancellationToken))
            .ConfigureAwait(false);
        return body;
    }

    /// <summary>Finishes what has been asked, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        _waiting.Writer.TryComplete();
        // A file that is only being opened is closed as well.
        await _opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _loop.ConfigureAwait(false);
        if (_tables is null)
        {
            return;
        }

        if (Lost(written: false) is not null)
        {
            _tables.Database.LeaveFiles();
        }

        _tables.Dispose();
        _tables = null;
    }

    private StoreContents Open()
    {
        try
        {
            try
            {
                return Load();
            }
            catch (Exception error) when (SqliteFile.Damage(error) is { } damage)
            {
                var quarantined = _file.Quarantine(damage, _clock.GetUtcNow());
                return Load() with { Quarantined = quarantined };
            }
        }
        catch (Exception error) when (error is not StoreUnavailableException)
        {
            throw _file.Explain(error);
        }
    }

    private StoreContents Load()
    {
        var database = _file.Open();
        try
        {
            // Before anything is written over it.
            var damage = LogDamage.Quarantine(_file.Path, _clock.GetUtcNow());
            return Use(database) with { LogDamage = damage };
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private StoreContents Use(SqliteDatabase database)
    {
        try
        {
            var tables = new SqliteTables(database);
            var contents = tables.ReadAll();
            _tables = tables;
            _file.BeginWatch();
            return contents;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private ValueTask WriteAsync(Action<SqliteTables> act, CancellationToken cancellationToken) =>
        AskAsync(new Work(act, Keeps: true, cancellationToken));

    private async ValueTask AskAsync(Work work)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_tables is null)
        {
            throw new InvalidOperationException("The store is not open.");
        }

        ObjectDisposedException.ThrowIf(!_waiting.Writer.TryWrite(work), this);
        await work.Done.Task.ConfigureAwait(false);
    }

    private async Task CommitAllAsync()
    {
        List<Work> shared = [];
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            shared.Clear();
            while (shared.Count < MaxShared && _waiting.Reader.TryRead(out var work))
            {
                if (!work.IsGivenUp())
                {
                    shared.Add(work);
                }
            }
            await CommitAsync(shared).ConfigureAwait(false);
        }
    }

    private async Task CommitAsync(List<Work> shared)
    {
        var keeps = shared.Exists(work => work.Keeps);
        if (keeps && Lost(written: false) is { } lost)
        {
            shared.FindAll(work => work.Keeps).ForEach(work => work.Done.SetException(lost));
            shared.RemoveAll(work => work.Keeps);
            keeps = false;
        }
        var error = Transact(shared);
        if (error is null)
        {
            // It is on disk, but perhaps in a file that nobody will find: then it can neither be answered nor taken back.
            while (keeps && !_isDisposed && Lost(written: true) is not null)
            {
                await Task.Delay(RetryInterval, _clock).ConfigureAwait(false);
            }

            shared.ForEach(work => work.Done.SetResult());
        }
        else if (shared is [var alone])
        {
            alone.Done.SetException(error);
        }
        else
        {
            // Which of them it was is not known, and it must not cost the others theirs.
            foreach (var work in shared.ToList())
            {
                await CommitAsync([work]).ConfigureAwait(false);
            }
        }
    }

    // A file that was taken away is put back from what the connection still has, where nothing else lies by now.
    private StoreUnavailableException? Lost(bool written)
    {
        if (_file.Lost(written) is not { } lost)
        {
            return null;
        }

        if (!lost.IsNameFree)
        {
            return new StoreUnavailableException(lost.Sentence);
        }

        try
        {
            var before = _tables!;
            before.Database.LeaveFiles();
            var database = _file.PutBack(before.Database);
            Use(database);
            before.Dispose();
            _putBack =
                $"{lost.Sentence} It was written anew under its name at {_clock.GetUtcNow():u}, and nothing in it is lost.";
            return null;
        }
        catch (Exception error)
        {
            return new StoreUnavailableException(
                $"{lost.Sentence} It cannot be written anew: {_file.Explain(error).Message}",
                error
            );
        }
    }

    private Exception? Transact(List<Work> shared)
    {
        var tables = _tables!;
        var commits = false;
        try
        {
            tables.Begin();
            shared.ForEach(work => work.Act(tables));
            commits = true;
            tables.Commit();
            return null;
        }
        // Whatever it is, it belongs to those who asked, and the loop goes on.
        catch (Exception error)
        {
            tables.Rollback();
            // What failed at the very end, where the disk says that it is done, may be there after a crash.
            return _file.Explain(
                error,
                mayBeDurable: commits && error is SqliteException { Kind: SqliteException.IoError }
            );
        }
    }

    /// <summary>What one caller asks, and its wait for the commit.</summary>
    private sealed record Work(Action<SqliteTables> Act, bool Keeps, CancellationToken Token)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsGivenUp() => Token.IsCancellationRequested && Done.TrySetCanceled(Token);
    }
}
