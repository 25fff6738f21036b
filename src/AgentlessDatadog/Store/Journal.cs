using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Store;

/// <summary>
/// What is durable and in no flush yet, with the keys and the places of streams that go with it. Writes one after another, in
/// order: one that the store does not answer in time stays first, and nothing more is written before it has ended. Belongs
/// to the loop.
/// </summary>
internal sealed class Journal(GuardedStore store, Outbox outbox, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private JournalWrite? _late;
    private int _isTriedLater;

    /// <summary>Why nothing can be made durable now, or null.</summary>
    public string? Error => store.Error;

    /// <summary>The requests that its flushes are made of.</summary>
    public Outbox Outbox => outbox;

    /// <summary>Keys of calls that it holds.</summary>
    public SeenKeys Keys { get; } = new();

    /// <summary>How far the callers' streams are in it. Any thread.</summary>
    public StreamPositions Positions { get; } = new();

    /// <summary>The types of the names in it, and of those before. Any thread.</summary>
    public ItemTypes Types { get; } = new();

    /// <summary>The sequence of the last append.</summary>
    public long LastSequence { get; private set; }

    /// <summary>The sequence up to which all is in a flush.</summary>
    public long FlushedSequence { get; private set; }

    /// <summary>The append of which nobody knows whether it is durable, or null.</summary>
    public JournalAppend? Unanswered => _late?.Append;

    /// <summary>Runs something on the loop.</summary>
    public Action<Func<Task>> OnLoop { get; set; } = _ => { };

    /// <summary>Begins with what an earlier process left.</summary>
    public void Start(StoreContents contents)
    {
        LastSequence = contents.LastSequence;
        FlushedSequence = contents.Journal.Count == 0 ? LastSequence : contents.Journal[0].Sequence - 1;
        foreach (var key in contents.Keys)
        {
            Keys.Add(key);
        }

        foreach (var (stream, position) in contents.Positions)
        {
            Positions.Move(stream, position);
        }

        foreach (var type in contents.Types)
        {
            Types.Add(type);
        }
    }

    /// <summary>Appends what is in no flush. Returns false when nobody knows whether it is durable.</summary>
    /// <param name="append">With the sequence after the last.</param>
    /// <param name="whenDurable">What follows once it is durable, now or later; it is told whether it is late.</param>
    /// <exception cref="StoreUnavailableException">Nothing of it is.</exception>
    public Task<bool> AppendAsync(JournalAppend append, Action<bool> whenDurable) =>
        WriteAsync(
            new JournalWrite(
                s => s.AppendAsync(append, CancellationToken.None),
                isLate =>
                {
                    LastSequence = append.Journal.Sequence;
                    whenDurable(isLate);
                }
            )
            {
                Append = append,
            }
        );

    /// <summary>
    /// Puts requests in the place of what they were made of. Returns false when nobody knows whether that is durable; then it
    /// is tried until it is.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Nothing of it is, and it is not tried again.</exception>
    public Task<bool> FlushAsync(JournalFlush flush, Action whenDurable) =>
        WriteAsync(
            new JournalWrite(
                s => s.FlushAsync(flush, CancellationToken.None),
                _ =>
                {
                    FlushedSequence = flush.Sequence;
                    whenDurable();
                }
            )
        );

    /// <summary>Looks in a while whether the store works again. Any thread.</summary>
    public void TryLater()
    {
        if (Interlocked.Exchange(ref _isTriedLater, 1) == 0)
        {
            _ = WaitAsync();
        }

        async Task WaitAsync()
        {
            await Task.Delay(RetryInterval, clock).ConfigureAwait(false);
            Volatile.Write(ref _isTriedLater, 0);
            OnLoop(RecoverAsync);
        }
    }

    /// <summary>Hands over to the store what it has not, if it works again. On the loop, or after its end.</summary>
    public async Task RecoverAsync()
    {
        if (store.Error is null)
        {
            return;
        }

        try
        {
            if (
                await TryAsync().ConfigureAwait(false) && await outbox.Settlements.HandOverAsync().ConfigureAwait(false)
            )
            {
                outbox.Changed.Raise();
                return;
            }
        }
        catch (StoreUnavailableException)
        {
            // It fails still.
        }
        catch (Exception error)
        {
            logger.LogError(error, "The store refused what memory had kept for it");
        }
        TryLater();
    }

    // Whether it takes something: what it was at, or a sequence, which is a write to the disk as well.
    private async Task<bool> TryAsync()
    {
        if (_late is { Ended: null })
        {
            return false;
        }

        if (_late is { } late)
        {
            _late = null;
            if (!await WriteAsync(late).ConfigureAwait(false))
            {
                return false;
            }
        }
        var nothing = new JournalAppend(new JournalEntry(LastSequence + 1, "", []), [], [], []);
        return await AppendAsync(nothing, _ => { }).ConfigureAwait(false);
    }

    private async Task<bool> WriteAsync(JournalWrite write)
    {
        try
        {
            if (await store.WriteAsync(write.Write).ConfigureAwait(false) is { } unanswered)
            {
                write.Ended = null;
                _late = write;
                _ = WaitAsync(unanswered);
                return false;
            }
        }
        catch (StoreUnavailableException error)
        {
            // One that has been late is nowhere else.
            if (write.Ended is not null)
            {
                _late = write;
            }

            store.Fail(error.Message);
            throw;
        }
        write.WhenDurable(write.Ended is not null);
        return true;

        async Task WaitAsync(Task unanswered)
        {
            await unanswered.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            OnLoop(() => EndAsync(write, unanswered));
        }
    }

    // An append that failed after all is its caller's again; a flush is in no aggregate any more, and is tried again.
    private async Task EndAsync(JournalWrite write, Task ended)
    {
        if (ended.IsCompletedSuccessfully || write.Append is not null)
        {
            _late = null;
        }
        else
        {
            write.Ended = ended;
        }

        if (ended.IsCompletedSuccessfully)
        {
            write.WhenDurable(true);
        }

        await RecoverAsync().ConfigureAwait(false);
    }
}
