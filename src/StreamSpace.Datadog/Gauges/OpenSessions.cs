using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <content>Which sessions are open.</content>
internal sealed partial class Levels
{
    private OpenSession Open(Session session)
    {
        if (!_sessions.TryGetValue(session.LifeId, out var open))
        {
            open = new OpenSession(session, GroupOf(session));
            _sessions.Add(session.LifeId, open);
            pipeline.Subjects.Open(session.LifeId);
            return open;
        }
        // A look at a session mostly brings the very snapshot that is held: then nothing can have changed.
        if (!ReferenceEquals(open.Session, session))
        {
            if (open.Session.User != session.User || open.Session.Template != session.Template)
            {
                open.LetGo();
            }
            open.Session = session;
            open.Group = GroupOf(session);
        }
        return open;
    }

    private void Close(Session session)
    {
        Forget(session);
        if (_config is not { Enabled: true, TrackSessionMetrics: true } config)
        {
            return;
        }
        // The final value, where Facts does not keep it as a point of its own.
        var group = GroupOf(session);
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
    }

    private SessionGroup GroupOf(Session session)
    {
        var key = (_tags.UserValue(session.User), session.Template);
        if (!_groups.TryGetValue(key, out var group))
        {
            group = new SessionGroup(_tags.Of(session.User, session.Template), session.Template);
            _groups.Add(key, group);
        }
        return group;
    }

    private void Forget(Session session)
    {
        if (_sessions.TryGetValue(session.LifeId, out var open))
        {
            Forget(session.LifeId, open);
        }
    }

    private void Forget(string life, OpenSession open)
    {
        open.LetGo();
        _sessions.Remove(life);
        pipeline.Subjects.Close(life);
    }

    private void ForgetAllBut(HashSet<string> lives)
    {
        foreach (var (life, open) in _sessions)
        {
            if (!lives.Contains(life))
            {
                Forget(life, open);
            }
        }
    }
}
