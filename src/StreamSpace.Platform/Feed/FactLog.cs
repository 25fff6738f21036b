using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Feed;

/// <summary>
/// What is known, how far the sources have come, the facts that followed, and how far each subscriber has come in them: kept
/// together, in one transaction. A fact is in the log once it is on disk, and not before. While the store fails, what is
/// true goes on, no checkpoint moves, and facts wait here, within a bound, to be tried again with the next batch or tick.
/// </summary>
internal sealed class FactLog(IPlatformStore store, TimeProvider clock, ILogger logger)
{
    /// <summary>Facts that wait for the disk at most; beyond them nothing more is taken from the sources.</summary>
    public const int MostPending = 50_000;

    private const int TailLength = 4096;
    private const int PageLength = 500;
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, string> _reached = new(StringComparer.Ordinal);
    private readonly List<PlatformFact> _pending = [];

    // By the time that passes, so that a clock that is set forward lets no fact go, and no session lapse.
    private readonly DateTimeOffset _begun = clock.GetUtcNow();
    private readonly long _begunStamp = clock.GetTimestamp();

    // Read by the sources' own tasks.
    private readonly ConcurrentDictionary<string, string> _checkpoints = new(StringComparer.Ordinal);

    // Below: read and written by subscriptions as well.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _cursors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long?> _movedCursors = new(StringComparer.Ordinal);
    private List<PlatformFact> _tail = [];
    private long _last;

    // Read by whoever asks how it stands, while a commit is under way.
    private volatile string? _error;
    private long _commitBegan;

    /// <summary>What is known; read from the store when it is first asked for.</summary>
    public SessionRegistry Registry => field ??= Open();

    // Of the facts of this run.
    private string _id = "";

    /// <summary>The sequence of the last fact.</summary>
    public long Last
    {
        get
        {
            lock (_lock)
            {
                return _last;
            }
        }
    }

    /// <summary>True while so much waits for the disk that nothing more can be taken.</summary>
    public bool IsFull => _pending.Count >= MostPending;

    /// <summary>Why nothing can be kept now, in one sentence, or null.</summary>
    public string? StoreError
    {
        get
        {
            var began = Interlocked.Read(ref _commitBegan);
            return began != 0 && clock.GetElapsedTime(began) is var waited && waited > StoreTimeout
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"what the platform says cannot be kept: the store has not answered for {waited.TotalSeconds:0} s."
                )
                : _error;
        }
    }

    /// <summary>Where a source had come to when that was last kept, or null.</summary>
    public string? CheckpointOf(string source) => _checkpoints.GetValueOrDefault(source);

    /// <summary>Takes in what a source says, and how far it has come with that.</summary>
    public void Take(ObservationBatch batch)
    {
        foreach (var observation in batch.Observations)
        {
            Registry.Apply(observation);
        }
        if (batch.Checkpoint is not null)
        {
            _reached[batch.Source] = batch.Checkpoint;
        }
    }

    /// <summary>As <see cref="Commit"/>, on a thread of its own: a store that hangs holds no caller's.</summary>
    public Task<bool> CommitAsync(IReadOnlyList<PlatformFact> facts) => Task.Run(() => Commit(facts));

    /// <summary>Keeps all that is new, these facts with it. True when it is on disk.</summary>
    public bool Commit(IReadOnlyList<PlatformFact> facts)
    {
        var registry = Registry;
        _pending.AddRange(facts);
        var change = new PlatformChange(registry.Changes, _reached, _pending, MovedCursors(), Now);
        if (change.IsEmpty)
        {
            return true;
        }
        Interlocked.Exchange(ref _commitBegan, clock.GetTimestamp());
        try
        {
            Add(store.Commit(change), change.Cursors);
        }
        catch (Exception e)
        {
            if (_error is null)
            {
                logger.LogError(e, "What the platform says could not be kept; it is tried again.");
            }
            // A database's words name no path of this machine; those of others may.
            var why = e is DbException ? $" ({e.Message.TrimEnd('.')})" : "";
            _error = $"what the platform says cannot be kept: the store failed{why}. It is tried again.";
            return false;
        }
        finally
        {
            Interlocked.Exchange(ref _commitBegan, 0);
        }
        registry.MarkDurable();
        foreach (var (source, checkpoint) in _reached)
        {
            _checkpoints[source] = checkpoint;
        }
        _reached.Clear();
        _pending.Clear();
        _error = null;
        return true;
    }

    /// <summary>The facts beyond a sequence: as a rule from memory; from the store for a reader that is far behind.</summary>
    public ValueTask<FactPage> ReadAsync(long after)
    {
        lock (_lock)
        {
            if (_tail.Count > 0 && after >= _tail[0].Sequence - 1)
            {
                var from = (int)(after - (_tail[0].Sequence - 1));
                var facts = _tail.GetRange(from, Math.Min(PageLength, _tail.Count - from));
                return new(new FactPage(_id, facts, after + facts.Count, 0));
            }
        }
        return new(Task.Run(() => store.Read(after, PageLength)));
    }

    /// <summary>
    /// The last sequence that a subscriber has. One that is not known begins at the end of the log, and is known from then
    /// on.
    /// </summary>
    public long CursorOf(string subscriber)
    {
        _ = Registry;
        lock (_lock)
        {
            if (!_cursors.TryGetValue(subscriber, out var cursor))
            {
                _movedCursors[subscriber] = _cursors[subscriber] = cursor = _last;
            }
            return cursor;
        }
    }

    /// <summary>A subscriber has everything up to a sequence on its own disk.</summary>
    public void Acknowledge(string subscriber, long sequence)
    {
        lock (_lock)
        {
            // One that was forgotten meanwhile stays so.
            if (_cursors.ContainsKey(subscriber))
            {
                _movedCursors[subscriber] = _cursors[subscriber] = sequence;
            }
        }
    }

    /// <summary>Other subscribers than these are no more: what happens from now on is not for them.</summary>
    public void RemoveCursorsBut(IReadOnlySet<string> subscribers)
    {
        _ = Registry;
        lock (_lock)
        {
            foreach (var gone in _cursors.Keys.Where(name => !subscribers.Contains(name)).ToList())
            {
                _cursors.Remove(gone);
                _movedCursors[gone] = null;
            }
        }
    }

    /// <summary>What the clock said at the beginning, and the time that has passed since.</summary>
    public DateTimeOffset Now => _begun + clock.GetElapsedTime(_begunStamp);

    private Dictionary<string, long?> MovedCursors()
    {
        lock (_lock)
        {
            return new Dictionary<string, long?>(_movedCursors);
        }
    }

    private void Add(IReadOnlyList<PlatformFact> added, IReadOnlyDictionary<string, long?> cursors)
    {
        lock (_lock)
        {
            foreach (var (subscriber, sequence) in cursors)
            {
                // It may have moved on since.
                if (_movedCursors[subscriber] == sequence)
                {
                    _movedCursors.Remove(subscriber);
                }
            }
            _tail.AddRange(added);
            if (_tail.Count > 2 * TailLength)
            {
                _tail = _tail.GetRange(_tail.Count - TailLength, TailLength);
            }
            _last = added is [.., var last] ? last.Sequence : _last;
        }
    }

    private SessionRegistry Open()
    {
        var kept = store.Load();
        if (kept.Damaged is [var first, ..])
        {
            logger.LogError(
                "{Count} records of the registry are damaged and left out, {First} first. What is true comes from the sources "
                    + "again.",
                kept.Damaged.Count,
                first
            );
        }
        foreach (var (source, checkpoint) in kept.Checkpoints)
        {
            _checkpoints[source] = checkpoint;
        }
        lock (_lock)
        {
            (_id, _last) = (kept.LogId, kept.LastSequence);
            foreach (var (subscriber, sequence) in kept.Cursors)
            {
                _cursors[subscriber] = sequence;
            }
        }
        return new SessionRegistry(kept);
    }
}
