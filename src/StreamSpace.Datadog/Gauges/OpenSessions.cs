using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>
/// The sessions that have not ended, each with the series that its tags name, and the groups that these form. Sessions whose
/// tags are one to Datadog share a series, and users or templates likewise a group.
/// </summary>
internal sealed class OpenSessions(TelemetryPipeline pipeline)
{
    private readonly Dictionary<string, OpenSession> _sessions = [];
    private readonly Dictionary<(GroupSeries Group, string Session), SessionSeries> _series = [];
    private readonly Dictionary<string, GroupSeries> _groups = new(StringComparer.Ordinal);
    private PlatformTags _tags = new(Config.UserTag.None, []);

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<OpenSession> All => _sessions.Values;

    /// <summary>The one of this life, or null when it is not open.</summary>
    public OpenSession? Find(string life) => _sessions.TryGetValue(life, out var open) ? open : null;

    /// <summary>Goes on under other tags: every series is made anew when it is next set.</summary>
    public void Use(PlatformTags tags)
    {
        _tags = tags;
        foreach (var series in _series.Values)
        {
            series.Release();
        }
        foreach (var group in _groups.Values)
        {
            group.Release();
        }
        _series.Clear();
        _groups.Clear();
        foreach (var open in _sessions.Values.ToList())
        {
            _sessions[open.Session.LifeId] = open with { Series = Join(open.Session) };
        }
    }

    /// <summary>Takes the latest snapshot of a session that is open.</summary>
    public OpenSession Open(Session session)
    {
        SessionSeries series;
        if (!_sessions.TryGetValue(session.LifeId, out var open))
        {
            series = Join(session);
        }
        // A look at a session mostly brings the very snapshot that is held: then nothing can have changed.
        else if (ReferenceEquals(open.Session, session))
        {
            return open;
        }
        else if (open.Session.User == session.User && open.Session.Template == session.Template)
        {
            series = open.Series;
        }
        else
        {
            Leave(session.LifeId, open.Series);
            series = Join(session);
        }
        return _sessions[session.LifeId] = new OpenSession(session, series);
    }

    /// <summary>The sessions of the same user and template.</summary>
    public GroupSeries GroupOf(Session session)
    {
        var tags = _tags.Of(session.User, session.Template);
        // No tag holds a comma.
        var key = string.Join(',', tags);
        if (!_groups.TryGetValue(key, out var group))
        {
            group = new GroupSeries(tags, _tags.Of(session.Template));
            _groups.Add(key, group);
        }
        return group;
    }

    /// <summary>Sets what the sessions of each series, and of each group, have in common.</summary>
    public void Observe(DateTimeOffset flush)
    {
        foreach (var series in _series.Values)
        {
            series.Observe(pipeline);
            RemoveUnneeded(series);
        }
        foreach (var (key, group) in _groups)
        {
            if (!group.Observe(flush, pipeline))
            {
                _groups.Remove(key);
            }
        }
    }

    /// <summary>Holds a session no more; gives the series that it was in, or null when it was not open.</summary>
    public SessionSeries? Remove(Session session)
    {
        if (!_sessions.TryGetValue(session.LifeId, out var open))
        {
            return null;
        }
        Remove(session.LifeId, open.Series);
        return open.Series;
    }

    /// <summary>Holds no others than these lives any more.</summary>
    public void RemoveAllBut(HashSet<string> lives)
    {
        foreach (var (life, open) in _sessions)
        {
            if (!lives.Contains(life))
            {
                Remove(life, open.Series);
            }
        }
    }

    private SessionSeries Join(Session session)
    {
        var key = (GroupOf(session), PlatformTags.SessionValue(session));
        if (!_series.TryGetValue(key, out var series))
        {
            series = new SessionSeries(key);
            _series.Add(key, series);
        }
        series.Add();
        return series;
    }

    private void Leave(string life, SessionSeries series)
    {
        series.Remove(life);
        RemoveUnneeded(series);
    }

    private void Remove(string life, SessionSeries series)
    {
        Leave(life, series);
        _sessions.Remove(life);
    }

    private void RemoveUnneeded(SessionSeries series)
    {
        if (!series.IsNeeded)
        {
            series.Release();
            _series.Remove(series.Key);
        }
    }
}

/// <summary>A session that has not ended.</summary>
/// <param name="Session">The latest snapshot.</param>
/// <param name="Series">What is said of it.</param>
internal readonly record struct OpenSession(Session Session, SessionSeries Series);
