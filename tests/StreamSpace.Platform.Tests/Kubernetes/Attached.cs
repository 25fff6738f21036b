using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>A watch over a fake cluster, which can be stopped and started again with its store or without.</summary>
internal sealed class Attached : IAsyncDisposable
{
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly List<PlatformEvent> _events = [];
    private readonly Lock _lock = new();
    private readonly Signal _changed = new();
    private CancellationTokenSource _stop = new();
    private PlatformWatch? _watch;
    private Task _run = Task.CompletedTask;

    public Attached(FakeCluster cluster, TimeProvider clock, KubernetesSourceOptions? options = null)
    {
        Cluster = cluster;
        Clock = clock;
        Options = (options ?? new KubernetesSourceOptions()) with
        {
            KubeConfig = cluster.KubeConfig,
            KubeletPort = cluster.KubeletPort,
            MetricsInterval = () => TimeSpan.FromSeconds(2),
        };
    }

    public FakeCluster Cluster { get; }

    public TimeProvider Clock { get; }

    public KubernetesSourceOptions Options { get; set; }

    public ILogger Logger { get; set; } = new SearchedLog();

    /// <summary>What is kept over a stop.</summary>
    public IRegistryStore Store { get; set; } = new MemoryRegistryStore();

    /// <summary>Another source beside it.</summary>
    public ScriptedSource? Beside { get; init; }

    /// <summary>All batches, of each time that it was started.</summary>
    public RecordingListener Recorder { get; } = new();

    public SourceStatus Status => _watch!.Sources[0];

    /// <summary>All that was told, but for baselines.</summary>
    public IReadOnlyList<PlatformEvent> Events
    {
        get
        {
            lock (_lock)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>The names of what was told of one session, without the word Session; levels and usage left out.</summary>
    public string Told(string id) =>
        string.Join(
            ' ',
            Events
                .OfType<SessionEvent>()
                .Where(e => e.Session.Id == id && e is not (SessionChanged or SessionMeasured))
                .Select(e => e.GetType().Name.Replace("Session", "", StringComparison.Ordinal))
        );

    /// <summary>A session as it was told of last, or null.</summary>
    public Session? Session(string id)
    {
        lock (_lock)
        {
            return _sessions.GetValueOrDefault(id);
        }
    }

    /// <summary>How it stands, or null.</summary>
    public SessionState? State(string id) => Session(id)?.State;

    public int Active
    {
        get
        {
            lock (_lock)
            {
                return _sessions.Values.Count(s => s.Active);
            }
        }
    }

    public async Task StartAsync()
    {
        _stop = new CancellationTokenSource();
        var source = new KubernetesSource(Options, Clock, () => 0, Logger);
        ISource[] sources = Beside is null ? [source] : [source, Beside];
        _watch = new PlatformWatch(sources, Store, demo: false, () => false, Clock, () => 0, Logger);
        await _watch.AttachAsync("test", TakeAsync, default);
        await _watch.AttachAsync("recorder", Recorder.TakeAsync, default);
        _run = _watch.RunAsync(_stop.Token);
    }

    /// <summary>Starts, and returns when everything is watched.</summary>
    public async Task<Attached> WatchingAsync()
    {
        await StartAsync();
        await UntilAsync(
            () => Status.State is SourceState.Up && Cluster.OpenWatches("sessions") == Options.Namespaces.Count,
            "the sessions are watched"
        );
        return this;
    }

    public async Task StopAsync(bool loseStore = false)
    {
        if (_watch is null)
        {
            return;
        }
        await _stop.CancelAsync();
        await _run;
        TestRun.Search.LookAt("the status", Status.ToString());
        await _watch.DisposeAsync();
        _stop.Dispose();
        _watch = null;
        if (loseStore)
        {
            Store = new MemoryRegistryStore();
        }
    }

    public Task UntilAsync(Func<bool> condition, string what) => _changed.UntilAsync(condition, what);

    /// <summary>All that the cluster said before now, of sessions and of pods, was taken in: a session of no one shows it.</summary>
    public async Task SettledAsync()
    {
        var marker = $"marker-{Guid.NewGuid():N}";
        Cluster.RunSession(marker, marker, "none", Options.Namespaces[0]);
        await UntilAsync(() => State(marker) is SessionState.Running, $"{marker} is seen");
        Cluster.DeletePod($"ss-{marker}", Options.Namespaces[0]);
        Cluster.DeleteSession(marker, Options.Namespaces[0]);
        await UntilAsync(() => State(marker) is SessionState.Ended, $"{marker} has ended");
        lock (_lock)
        {
            _sessions.Remove(marker);
            _events.RemoveAll(e => e is SessionEvent s && s.Session.Id == marker);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Cluster.DisposeAsync();
    }

    private ValueTask TakeAsync(PlatformBatch batch, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (batch.Baseline)
            {
                _sessions.Clear();
            }
            else
            {
                _events.AddRange(batch.Events);
            }
            foreach (var told in batch.Events.OfType<SessionEvent>())
            {
                _sessions[told.Session.Id] = told.Session;
            }
        }
        _changed.Raise();
        return ValueTask.CompletedTask;
    }
}
