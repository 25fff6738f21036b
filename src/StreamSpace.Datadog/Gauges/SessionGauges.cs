using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <summary>
/// What is true on the platform, as gauges. Each open session holds the cells of its series, so that a look at it is
/// a few stores; what follows from all sessions together is counted afresh at each cut, never by +1 and −1.
/// </summary>
/// <remarks>States come from the platform's side and cuts from the pipeline's; one lock keeps them apart.</remarks>
internal sealed partial class Levels(TelemetryPipeline pipeline)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, OpenSession> _sessions = [];
    private readonly Dictionary<(string? User, string? Template), SessionGroup> _groups = [];
    private readonly List<IDisposable> _totals = [];
    private DatadogConfig? _config;
    private Tags _tags = new(UserTag.None);
    private SessionTotals? _sessionTotals;
    private Gauge? _usersTotal;
    private int? _users;
    private bool _demo;

    // What is true is not known before the host has told, and nothing by itself tells nothing while a source is away: no
    // zeros until then.
    private bool _told;
    private bool _catchingUp;

    /// <summary>How many sessions are open.</summary>
    public int OpenSessions
    {
        get
        {
            lock (_lock)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>
    /// Forgets what the demo invented: before anything may leave the machine, so that no cut in between takes it along.
    /// </summary>
    public void ForgetInvented()
    {
        lock (_lock)
        {
            if (_demo)
            {
                ForgetAllBut([]);
                _users = null;
                _demo = false;
            }
        }
    }

    /// <summary>Goes on under another config: series whose tags it changes begin anew at the next cut.</summary>
    public void Use(DatadogConfig config)
    {
        lock (_lock)
        {
            _config = config;
            _tags = new Tags(config.UserTag);
            LetGo();
            foreach (var open in _sessions.Values)
            {
                open.Group = GroupOf(open.Session);
            }
        }
    }

    /// <summary>Takes what is true.</summary>
    public void Apply(PlatformState state)
    {
        lock (_lock)
        {
            _told |= !state.IsSnapshot || state.Sessions.Count > 0 || state.IsWhole;
            _catchingUp = state.IsCatchingUp;
            if (state.IsSnapshot)
            {
                ForgetAllBut(state.Sessions.Select(s => s.LifeId).ToHashSet());
                _users = null;
                _demo = state.IsDemo;
            }
            foreach (var session in state.Sessions)
            {
                switch (session.State)
                {
                    case SessionState.Ended:
                        Close(session);
                        break;
                    case SessionState.Lapsed:
                        Forget(session);
                        break;
                    default:
                        var group = Open(session).Group;
                        if (state.IsSnapshot && session.Active)
                        {
                            group.WasActive(pipeline);
                        }
                        break;
                }
            }
            foreach (var usage in state.Usages)
            {
                // One that has ended since it was measured is no more.
                if (_sessions.TryGetValue(usage.LifeId, out var open))
                {
                    Measure(open, usage);
                }
            }
            _users = state.Users ?? _users;
            if (state.IsWhole)
            {
                pipeline.Subjects.AllKnown();
            }
        }
    }

    /// <summary>Sets every gauge that follows from what is true at <paramref name="cut"/>.</summary>
    public void Look(DateTimeOffset cut)
    {
        lock (_lock)
        {
            if (!_told || _config is not { Enabled: true } config)
            {
                return;
            }
            // A number that never was is worse than none for a moment.
            if (config.TrackSessionMetrics && !_catchingUp)
            {
                LookAtSessions(cut, config);
            }
            if (config.TrackUserMetrics && _users is { } users)
            {
                _usersTotal ??= Total(Metrics.UsersTotal);
                _usersTotal.Set(users);
            }
        }
    }

    private void LookAtSessions(DateTimeOffset cut, DatadogConfig config)
    {
        int running = 0,
            hibernated = 0,
            failed = 0;
        foreach (var open in _sessions.Values)
        {
            var session = open.Session;
            open.Group.Open++;
            open.Group.Active += session.Active ? 1 : 0;
            if (session.AwakeSince is not null)
            {
                var seconds = session.RunningTime(cut).TotalSeconds;
                if (config.UseDistributions)
                {
                    open.Group.Durations(pipeline).Record(seconds);
                }
                else if (config.SessionTagOnDuration)
                {
                    open.Duration ??= SessionGauge(Metrics.SessionDuration, session);
                    open.Duration.Set(seconds);
                }
                else
                {
                    open.Group.Longest = Math.Max(open.Group.Longest, seconds);
                }
            }
            running += session.State is SessionState.Running ? 1 : 0;
            hibernated += session.State is SessionState.Hibernated ? 1 : 0;
            failed += session.State is SessionState.Failed ? 1 : 0;
        }
        foreach (var (key, group) in _groups)
        {
            if (!group.Look(cut, pipeline))
            {
                _groups.Remove(key);
            }
        }
        _sessionTotals ??= new SessionTotals(
            Total(Metrics.SessionsTotal, "state:running"),
            Total(Metrics.SessionsTotal, "state:hibernated"),
            Total(Metrics.SessionsTotal, "state:failed")
        );
        _sessionTotals.Running.Set(running);
        _sessionTotals.Hibernated.Set(hibernated);
        _sessionTotals.Failed.Set(failed);
    }

    private void Measure(OpenSession open, SessionUsage e)
    {
        if (_config is not { Enabled: true, TrackResourceMetrics: true } config)
        {
            return;
        }
        if (config.UseDistributions)
        {
            open.Group.Record(pipeline, e);
            return;
        }
        if (e.CpuPercent is { } cpu)
        {
            (open.Cpu ??= SessionGauge(Metrics.CpuUsage, open.Session)).Set(Math.Clamp(cpu, 0, 100));
        }
        if (e.MemoryBytes is { } memory)
        {
            (open.Memory ??= SessionGauge(Metrics.MemoryUsage, open.Session)).Set(memory);
        }
        if (e.StorageBytes is { } storage)
        {
            (open.Storage ??= SessionGauge(Metrics.StorageUsage, open.Session)).Set(storage);
        }
    }

    private Gauge SessionGauge(Metric metric, Session session) =>
        pipeline.Gauge(metric.Name, _tags.Of(session), metric.Unit);

    private Gauge Total(Metric metric, params string[] tags)
    {
        var gauge = pipeline.Gauge(metric.Name, tags, metric.Unit);
        _totals.Add(gauge);
        return gauge;
    }

    // Every series is made anew when it is next set: its tags may be others by then.
    private void LetGo()
    {
        foreach (var open in _sessions.Values)
        {
            open.LetGo();
        }
        foreach (var group in _groups.Values)
        {
            group.LetGo();
        }
        _groups.Clear();
        _totals.ForEach(t => t.Dispose());
        _totals.Clear();
        _sessionTotals = null;
        _usersTotal = null;
    }

    private sealed record SessionTotals(Gauge Running, Gauge Hibernated, Gauge Failed);
}
