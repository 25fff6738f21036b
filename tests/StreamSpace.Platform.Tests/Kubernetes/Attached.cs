using Microsoft.Extensions.Logging;
using StreamSpace.Platform.Feed;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Kubernetes;
using StreamSpace.Platform.Store;
using StreamSpace.Platform.Tests.Support;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>A feed over a fake cluster, which can be stopped and started again with its store or without.</summary>
internal sealed class Attached : IAsyncDisposable
{
    private CancellationTokenSource _stop = new();
    private PlatformFeed? _feed;
    private Subscription? _subscription;
    private Task _run = Task.CompletedTask;

    public Attached(FakeCluster cluster, TimeProvider clock, KubernetesOptions? options = null)
    {
        Cluster = cluster;
        Clock = clock;
        Options = (options ?? new KubernetesOptions()) with
        {
            KubeConfig = cluster.KubeConfig,
            KubeletPort = cluster.KubeletPort,
            MetricsInterval = () => TimeSpan.FromSeconds(2),
        };
    }

    public FakeCluster Cluster { get; }

    public TimeProvider Clock { get; }

    public KubernetesOptions Options { get; set; }

    public ILogger Logger { get; set; } = new SearchedLog();

    /// <summary>What is kept over a stop.</summary>
    public IPlatformStore Store { get; set; } = new MemoryPlatformStore();

    /// <summary>Another source beside it.</summary>
    public ScriptedSource? Beside { get; init; }

    /// <summary>All that was told, each time that it was started.</summary>
    public RecordingSubscriber Recorder { get; } = new("test");

    public SourceStatus Status => _feed!.Sources[0];

    /// <summary>All facts but those of the sessions of no one.</summary>
    public IReadOnlyList<PlatformFact> Facts =>
        [
            .. Recorder.Facts.Where(f =>
                f is not SessionFact { Session.Id: var id } || !id.StartsWith("marker-", StringComparison.Ordinal)
            ),
        ];

    /// <summary>All that was measured, with the session's id.</summary>
    public IReadOnlyList<(string Id, SessionUsage Usage)> Usages =>
        [.. Recorder.States.SelectMany(s => s.Usages).Select(u => (u.LifeId[..u.LifeId.LastIndexOf('@')], u))];

    /// <summary>
    /// The names of the facts that were told of one session, without the word Session; before those of a life that was there
    /// when it was first seen, Found.
    /// </summary>
    public string Told(string id)
    {
        var facts = Facts.OfType<SessionFact>().Where(f => f.Session.Id == id).ToList();
        var first = Recorder
            .States.SelectMany(state => state.Sessions.Select(session => (state.IsSnapshot, session)))
            .Where(told => told.session.Id == id)
            .DistinctBy(told => told.session.LifeId);
        return string.Join(
            ' ',
            first.SelectMany(told =>
            {
                var ofLife = facts.Where(f => f.Session.LifeId == told.session.LifeId).ToList();
                string[] found = told.IsSnapshot || ofLife.Exists(f => f is SessionCreated) ? [] : ["Found"];
                return found.Concat(
                    ofLife.Select(f => f.GetType().Name.Replace("Session", "", StringComparison.Ordinal))
                );
            })
        );
    }

    /// <summary>A session as it was told of last, or null.</summary>
    public Session? Session(string id) => Recorder.Session(id);

    /// <summary>How it stands, or null.</summary>
    public SessionState? State(string id) => Session(id)?.State;

    public int Active => Recorder.Sessions.Count(s => s.Active);

    public async Task StartAsync()
    {
        _stop = new CancellationTokenSource();
        var source = new KubernetesSource(Options, Clock, () => 0, Logger);
        ISource[] sources = Beside is null ? [source] : [source, Beside];
        _feed = new PlatformFeed(sources, Store, isDemo: false, Clock, () => 0, Logger);
        _subscription = await _feed.SubscribeAsync(Recorder, default);
        _run = _feed.RunAsync(_stop.Token);
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
        if (_feed is null)
        {
            return;
        }
        await _stop.CancelAsync();
        await _run;
        TestRun.Search.LookAt("the status", Status.ToString());
        await _feed.DisposeAsync();
        _stop.Dispose();
        _feed = null;
        if (loseStore)
        {
            Store = new MemoryPlatformStore();
        }
    }

    /// <summary>Returns once it is so, and the facts that belong to it have been told, too.</summary>
    public Task UntilAsync(Func<bool> condition, string what) =>
        Recorder.Changed.UntilAsync(() => condition() && _subscription is null or { Health.Behind: 0 }, what);

    /// <summary>All that the cluster said before now, of sessions and of pods, was taken in: a session of no one shows it.</summary>
    public async Task SettledAsync()
    {
        var marker = $"marker-{Guid.NewGuid():N}";
        Cluster.RunSession(marker, marker, "none", Options.Namespaces[0]);
        await UntilAsync(() => State(marker) is SessionState.Running, $"{marker} is seen");
        Cluster.DeletePod($"ss-{marker}", Options.Namespaces[0]);
        Cluster.DeleteSession(marker, Options.Namespaces[0]);
        await UntilAsync(() => State(marker) is SessionState.Ended, $"{marker} has ended");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Cluster.DisposeAsync();
    }
}
