using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>Takes batches, remembers them, and fails when told to.</summary>
internal sealed class RecordingListener
{
    private readonly Lock _lock = new();
    private readonly List<PlatformBatch> _batches = [];
    private int _failures;

    public Signal Changed { get; } = new();

    public IReadOnlyList<PlatformBatch> Batches
    {
        get
        {
            lock (_lock)
            {
                return [.. _batches];
            }
        }
    }

    public IReadOnlyList<PlatformEvent> Events => [.. Batches.SelectMany(b => b.Events)];

    /// <summary>How many sessions were active after each batch that was said to leave all of it whole.</summary>
    public IReadOnlyList<int> ActiveWhenWhole
    {
        get
        {
            var active = new Dictionary<string, bool>(StringComparer.Ordinal);
            var counts = new List<int>();
            foreach (var batch in Batches)
            {
                if (batch.Baseline)
                {
                    active.Clear();
                }
                foreach (var told in batch.Events.OfType<SessionEvent>())
                {
                    active[told.Session.Id] = told.Session.Active;
                }
                if (!batch.CatchingUp)
                {
                    counts.Add(active.Values.Count(a => a));
                }
            }
            return counts;
        }
    }

    public int Calls { get; private set; }

    /// <summary>The next calls fail.</summary>
    public void FailNext(int times) => _failures = times;

    public ValueTask TakeAsync(PlatformBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Calls++;
            Changed.Raise();
            if (_failures > 0)
            {
                _failures--;
                throw new InvalidOperationException("told to fail");
            }
            _batches.Add(batch);
        }
        Changed.Raise();
        return ValueTask.CompletedTask;
    }
}
