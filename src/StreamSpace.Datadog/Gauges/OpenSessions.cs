using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>The sessions that have not ended, and the groups that they form.</summary>
internal sealed class OpenSessions(TelemetryPipeline pipeline)
{
    private readonly Dictionary<string, SessionSeries> _sessions = [];
    private readonly Dictionary<(string? User, string? Template), GroupSeries> _groups = [];
    private PlatformTags _tags = new(Config.UserTag.None);

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<SessionSeries> All => _sessions.Values;

    /// <summary>The one of this life, or null when it is not open.</summary>
    public SessionSeries? Find(string life) => _sessions.GetValueOrDefault(life);

    /// <summary>Goes on under other tags: every series is made anew when it is next set.</summary>
    public void Use(PlatformTags tags)
    {
        _tags = tags;
        foreach (var group in _groups.Values)
        {
            group.Release();
        }
        _groups.Clear();
        foreach (var open in _sessions.Values)
        {
            open.Release();
            open.Group = GroupOf(open.Session);
        }
    }

    /// <summary>Takes the latest snapshot of a session that is open.</summary>
    public SessionSeries Open(Session session)
    {
        if (!_sessions.TryGetValue(session.LifeId, out var open))
        {
            open = new SessionSeries(session, GroupOf(session));
            _sessions.Add(session.LifeId, open);
            pipeline.Subjects.Open(session.LifeId);
            return open;
        }
        // A look at a session mostly brings the very snapshot that is held: then nothing can have changed.
        if (!ReferenceEquals(open.Session, session))
        {
            if (open.Session.User != session.User || open.Session.Template != session.Template)
            {
                open.Release();
            }
            open.Session = session;
            open.Group = GroupOf(session);
        }
        return open;
    }

    /// <summary>The sessions of the same user and template.</summary>
    public GroupSeries GroupOf(Session session)
    {
        var key = (_tags.UserValue(session.User), session.Template);
        if (!_groups.TryGetValue(key, out var group))
        {
            group = new GroupSeries(_tags.Of(session.User, session.Template), session.Template);
            _groups.Add(key, group);
        }
        return group;
    }

    /// <summary>Sets what the sessions of each group have in common.</summary>
    public void ObserveGroups(DateTimeOffset flush)
    {
        foreach (var (key, group) in _groups)
        {
            if (!group.Observe(flush, pipeline))
            {
                _groups.Remove(key);
            }
        }
    }

    /// <summary>Holds a session no more.</summary>
    public void Remove(Session session)
    {
        if (_sessions.TryGetValue(session.LifeId, out var open))
        {
            Remove(session.LifeId, open);
        }
    }

    /// <summary>Holds no others than these lives any more.</summary>
    public void RemoveAllBut(HashSet<string> lives)
    {
        foreach (var (life, open) in _sessions)
        {
            if (!lives.Contains(life))
            {
                Remove(life, open);
            }
        }
    }

    private void Remove(string life, SessionSeries open)
    {
        open.Release();
        _sessions.Remove(life);
        pipeline.Subjects.Close(life);
    }
}
