using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>
/// What is true on the platform, as gauges. Each open session holds the cells of its series, so that a look at it is
/// a few stores; what follows from all sessions together is counted afresh at each flush, never by +1 and −1.
/// </summary>
/// <remarks>States come from the platform's side and flushes from the pipeline's; one lock keeps them apart.</remarks>
internal sealed class SessionGauges(TelemetryPipeline pipeline)
{
    private readonly Lock _lock = new();
    private readonly OpenSessions _sessions = new(pipeline);
    private readonly AgentGauges _agents = new(pipeline);
    private readonly List<IDisposable> _totals = [];
    private DatadogConfig? _config;
    private SessionTotals? _sessionTotals;
    private Gauge? _usersTotal;
    private int? _users;
    private bool _demo;

    // What is true is not known before the host has told, and nothing by itself tells nothing while a source is away: no
    // zeros until then.
    private bool _told;
    private bool _catchingUp;

    /// <summary>How many sessions are open, in each of their states.</summary>
    public IReadOnlyDictionary<SessionState, int> Counts
    {
        get
        {
            lock (_lock)
            {
                return _sessions.All.CountBy(open => open.Session.State).ToDictionary();
            }
        }
    }

    /// <summary>
    /// Releases what the demo invented: before anything may leave the machine, so that no flush in between takes it along.
    /// </summary>
    public void ReleaseInvented()
    {
        lock (_lock)
        {
            if (_demo)
            {
                _sessions.RemoveAllBut([]);
                _users = null;
                _demo = false;
            }
        }
    }

    /// <summary>Goes on under another config: series whose tags it changes begin anew at the next flush.</summary>
    public void Use(DatadogConfig config)
    {
        lock (_lock)
        {
            _config = config;
            var tags = new PlatformTags(config);
            _sessions.Use(tags);
            _agents.Use(tags);
            _totals.ForEach(t => t.Dispose());
            _totals.Clear();
            _sessionTotals = null;
            _usersTotal = null;
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
                _sessions.RemoveAllBut(state.Sessions.Select(s => s.LifeId).ToHashSet());
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
                        _sessions.Remove(session);
                        break;
                    default:
                        var series = _sessions.Open(session).Series;
                        if (state.IsSnapshot && session.Active)
                        {
                            series.Key.Group.WasActive(pipeline);
                        }
                        break;
                }
            }
            foreach (var usage in state.Usages)
            {
                // One that has ended since it was measured is no more.
                if (_sessions.Find(usage.LifeId) is { } open)
                {
                    Measure(open.Series, usage);
                }
            }
            _users = state.Users ?? _users;
            _agents.Apply(state);
        }
    }

    /// <summary>Sets every gauge that follows from what is true at <paramref name="flush"/>.</summary>
    public void Observe(DateTimeOffset flush)
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
                ObserveSessions(flush, config);
                _agents.Observe(flush);
            }
            if (config.TrackUserMetrics && _users is { } users)
            {
                _usersTotal ??= Total(MetricCatalog.UsersTotal);
                _usersTotal.Set(users);
            }
        }
    }

    private void Close(Session session)
    {
        var series = _sessions.Remove(session);
        if (_config is not { Enabled: true, TrackSessionMetrics: true } config)
        {
            return;
        }
        // The final value, where FactMapper does not keep it as a point of its own, or others would take its place.
        var group = _sessions.GroupOf(session);
        // It is awake no more: this is all of it.
        var seconds = session.AwakeBefore.TotalSeconds;
        if (config.UseDistributions)
        {
            group.Durations(pipeline).Record(seconds);
        }
        else if (!config.SessionTagOnDuration)
        {
            group.Longest = Math.Max(group.Longest, seconds);
        }
        else if (series is { IsNeeded: true })
        {
            series.Longest = Math.Max(series.Longest, seconds);
        }
    }

    private void ObserveSessions(DateTimeOffset flush, DatadogConfig config)
    {
        int requested = 0,
            running = 0,
            hibernated = 0,
            failed = 0;
        var oldest = flush;
        foreach (var open in _sessions.All)
        {
            var (session, series) = open;
            var group = series.Key.Group;
            group.Open++;
            group.Active += session.Active ? 1 : 0;
            if (session.AwakeSince is not null)
            {
                var seconds = session.RunningTime(flush).TotalSeconds;
                if (config.UseDistributions)
                {
                    group.Durations(pipeline).Record(seconds);
                }
                else if (config.SessionTagOnDuration)
                {
                    series.Longest = Math.Max(series.Longest, seconds);
                }
                else
                {
                    group.Longest = Math.Max(group.Longest, seconds);
                }
            }
            if (session.State is SessionState.Requested)
            {
                requested++;
                oldest = session.CreatedAt < oldest ? session.CreatedAt.Value : oldest;
            }
            running += session.State is SessionState.Running ? 1 : 0;
            hibernated += session.State is SessionState.Hibernated ? 1 : 0;
            failed += session.State is SessionState.Failed ? 1 : 0;
        }
        _sessions.Observe(flush);
        _sessionTotals ??= new SessionTotals(
            Total(MetricCatalog.SessionsTotal, "state:requested"),
            Total(MetricCatalog.SessionsTotal, "state:running"),
            Total(MetricCatalog.SessionsTotal, "state:hibernated"),
            Total(MetricCatalog.SessionsTotal, "state:failed"),
            Total(MetricCatalog.SessionsPending),
            Total(MetricCatalog.SessionsPendingAge)
        );
        _sessionTotals.Requested.Set(requested);
        _sessionTotals.Running.Set(running);
        _sessionTotals.Hibernated.Set(hibernated);
        _sessionTotals.Failed.Set(failed);
        _sessionTotals.Pending.Set(requested);
        _sessionTotals.PendingAge.Set((flush - oldest).TotalSeconds);
    }

    private void Measure(SessionSeries series, SessionUsage usage)
    {
        if (_config is not { Enabled: true, TrackResourceMetrics: true } config)
        {
            return;
        }
        if (config.UseDistributions)
        {
            series.Key.Group.Record(pipeline, usage);
        }
        else
        {
            series.Measure(usage, pipeline);
        }
    }

    private Gauge Total(MetricDefinition metric, params string[] tags)
    {
        var gauge = pipeline.Gauge(metric.Name, tags, metric.Unit);
        _totals.Add(gauge);
        return gauge;
    }

    private sealed record SessionTotals(
        Gauge Requested,
        Gauge Running,
        Gauge Hibernated,
        Gauge Failed,
        Gauge Pending,
        Gauge PendingAge
    );
}
