using StreamSpace.Platform.Feed;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>Takes states and facts, remembers them, and fails when told to.</summary>
internal sealed class RecordingSubscriber(string name = "subscriber") : ISubscriber
{
    private readonly Lock _lock = new();
    private readonly List<PlatformState> _states = [];
    private readonly List<FactBatch> _batches = [];
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly List<int> _activeWhenWhole = [];
    private int _failures;
    private int _calls;

    public string Name => name;

    public Signal Changed { get; } = new();

    /// <summary>Awaited before facts are taken.</summary>
    public Func<FactBatch, CancellationToken, Task> BeforeFacts { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Awaited before a state is taken.</summary>
    public Func<PlatformState, CancellationToken, Task> BeforeState { get; set; } = (_, _) => Task.CompletedTask;

    public IReadOnlyList<PlatformState> States => Read(() => _states.ToList());

    public IReadOnlyList<FactBatch> Batches => Read(() => _batches.ToList());

    public IReadOnlyList<PlatformFact> Facts => [.. Batches.SelectMany(b => b.Facts)];

    /// <summary>The lives that were told of since the last snapshot, as they were told of last.</summary>
    public IReadOnlyList<Session> Sessions => Read(() => _sessions.Values.ToList());

    /// <summary>How many sessions were active after each state that was said to leave all of it whole.</summary>
    public IReadOnlyList<int> ActiveWhenWhole => Read(() => _activeWhenWhole.ToList());

    /// <summary>How often it was asked to take facts.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>The session of an id as it was told of last, or null.</summary>
    public Session? Session(string id) =>
        Read(() => _sessions.Values.Where(s => s.Id == id).MaxBy(s => s.CreatedAt ?? DateTimeOffset.MinValue));

    /// <summary>The next calls with facts fail.</summary>
    public void FailNext(int times) => Volatile.Write(ref _failures, times);

    public async ValueTask ApplyAsync(PlatformState state, CancellationToken cancellationToken)
    {
        await BeforeState(state, cancellationToken);
        lock (_lock)
        {
            _states.Add(state);
            if (state.IsSnapshot)
            {
                _sessions.Clear();
            }
            foreach (var session in state.Sessions)
            {
                _sessions[session.LifeId] = session;
            }
            if (!state.IsCatchingUp)
            {
                _activeWhenWhole.Add(_sessions.Values.Count(s => s.Active));
            }
        }
        Changed.Raise();
    }

    public async ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        Changed.Raise();
        await BeforeFacts(batch, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _failures) > 0)
        {
            Interlocked.Decrement(ref _failures);
            throw new InvalidOperationException("told to fail");
        }
        lock (_lock)
        {
            _batches.Add(batch);
        }
        Changed.Raise();
    }

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }
}
