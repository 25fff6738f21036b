using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>
/// What a watch knows, how far its sources have come, and which facts it owes to its listeners, in one transaction. When
/// the store fails it goes on from memory, and tries again with the next batch or tick.
/// </summary>
internal sealed class WatchBook(IRegistryStore store, TimeProvider clock, ILogger logger)
{
    // While a plugin can keep nothing for long: what is owed to it takes some fifty megabytes of memory at most.
    internal const int MostOwed = 100_000;
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, string> _reached = new(StringComparer.Ordinal);

    // Read by the sources' own tasks.
    private readonly ConcurrentDictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private readonly List<PlatformEvent> _owed = [];

    // How many of these, from the end, the store does not have yet.
    private int _unkept;
    private bool _isPaid;

    // Read by whoever asks how it stands, while a commit is under way.
    private volatile string? _fault;
    private long _commitBegan;

    /// <summary>What is known; read from the store when it is first asked for.</summary>
    public Registry Registry => field ??= Open();

    /// <summary>Where a source had come to when that was last kept, or null.</summary>
    public string? CheckpointOf(string source) => _checkpoints.GetValueOrDefault(source);

    /// <summary>Facts that a listener may lack, in their order; also what an earlier process owed.</summary>
    public IReadOnlyList<PlatformEvent> Owed => _owed;

    /// <summary>Why nothing can be kept now, in one sentence, or null.</summary>
    public string? NotKept
    {
        get
        {
            var began = Interlocked.Read(ref _commitBegan);
            return began != 0 && clock.GetElapsedTime(began) is var waited && waited > AnswersWithin
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"what the platform says cannot be kept: the store has not answered for {waited.TotalSeconds:0} s."
                )
                : _fault;
        }
    }

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
    public Task<bool> CommitAsync(IReadOnlyList<PlatformEvent> news) => Task.Run(() => Commit(news));

    /// <summary>Keeps all that is new, and owes the facts among the news. True when it is on disk.</summary>
    public bool Commit(IReadOnlyList<PlatformEvent> news)
    {
        var registry = Registry;
        // A level is told anew by the next look, or by the baseline.
        var facts = news.Where(told => told.Id is not null).ToList();
        _owed.AddRange(facts);
        _unkept += facts.Count;
        Bound();
        var change = registry.Changes;
        var owed = new OwedChange(_isPaid, _owed[^_unkept..]);
        if (change.IsEmpty && owed.IsEmpty && _reached.Count == 0)
        {
            return true;
        }
        Interlocked.Exchange(ref _commitBegan, clock.GetTimestamp());
        try
        {
            store.Commit(change, _reached, owed);
        }
        catch (Exception e)
        {
            if (_fault is null)
            {
                logger.LogError(e, "The registry could not be kept; it goes on from memory and tries again.");
            }
            // A database's words name no path of this machine; those of others may.
            var why = e is DbException ? $" ({e.Message.TrimEnd('.')})" : "";
            _fault = $"what the platform says cannot be kept: the store failed{why}. It is tried again.";
            return false;
        }
        finally
        {
            Interlocked.Exchange(ref _commitBegan, 0);
        }
        registry.Kept();
        foreach (var (source, checkpoint) in _reached)
        {
            _checkpoints[source] = checkpoint;
        }
        _reached.Clear();
        (_unkept, _isPaid, _fault) = (0, false, null);
        return true;
    }

    /// <summary>Every listener has kept all that it was told.</summary>
    public void Pay()
    {
        _owed.Clear();
        (_unkept, _isPaid) = (0, true);
    }

    private void Bound()
    {
        if (_owed.Count <= MostOwed)
        {
            return;
        }
        var forgotten = _owed.Count - (MostOwed / 2);
        logger.LogError(
            "More than {Most} facts are owed to plugins that cannot keep them. The oldest {Forgotten} are not told again.",
            MostOwed,
            forgotten
        );
        _owed.RemoveRange(0, forgotten);
        (_unkept, _isPaid) = (_owed.Count, true);
    }

    private Registry Open()
    {
        var kept = store.Load();
        if (kept.Damaged is [var first, ..])
        {
            logger.LogError(
                "{Count} records of the registry are damaged and left out, {First} first. What is true comes from the sources "
                    + "again; a fact that was owed does not.",
                kept.Damaged.Count,
                first
            );
        }
        foreach (var (source, checkpoint) in kept.Checkpoints)
        {
            _checkpoints[source] = checkpoint;
        }
        _owed.AddRange(kept.Owed);
        return new Registry(kept);
    }
}
