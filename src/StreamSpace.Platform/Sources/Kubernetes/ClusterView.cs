using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// The sessions and pods that Kubernetes holds now. It turns what changes there into observations, and tells only what
/// is different from what it told before. One thread at a time.
/// </summary>
internal sealed class ClusterView(TimeProvider clock)
{
    private readonly Dictionary<string, SessionSnapshot> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _uidOfId = new(StringComparer.Ordinal);
    private readonly OwnerIndex _sessionsOf = new();
    private readonly Dictionary<string, PodSnapshot> _pods = new(StringComparer.Ordinal);
    private readonly OwnerIndex _podsOf = new();
    private readonly HashSet<string> _podsSeenIn = new(StringComparer.Ordinal);

    /// <summary>Every session that is there by this witness.</summary>
    public SessionsListed All(Witness witness) =>
        new(
            _sessions.Values.Where(s => s.Witness == witness).Select(s => s.LifeUid).ToHashSet(StringComparer.Ordinal),
            clock.GetUtcNow()
        )
        {
            Witness = witness,
        };

    /// <summary>The sessions.</summary>
    public IReadOnlyCollection<SessionSnapshot> Sessions => _sessions.Values;

    /// <summary>The pods.</summary>
    public IReadOnlyCollection<PodSnapshot> Pods => _pods.Values;

    /// <summary>The session with this id in this namespace, or null.</summary>
    public SessionSnapshot? Find(string @namespace, string? id) =>
        id is not null
        && _uidOfId.TryGetValue(id, out var uid)
        && _sessions[uid] is var session
        && session.Owner.Namespace == @namespace
            ? session
            : null;

    /// <summary>A session is there.</summary>
    /// <returns>False when another namespace has a session of the same id, which would be mistaken for it.</returns>
    public bool See(SessionSnapshot session, bool lookedBefore, ICollection<Observation> seen)
    {
        if (_uidOfId.TryGetValue(session.Id, out var uid) && uid != session.Uid)
        {
            if (_sessions[uid].Owner.Namespace != session.Owner.Namespace)
            {
                return false;
            }
            // A name is free again only when its former bearer is gone, whose end we missed.
            Remove(uid, session.CreatedAt, seen);
        }
        if (_sessions.Remove(session.Uid, out var before))
        {
            session.Reported = before.Reported;
            _sessionsOf.Remove(before.Owner, before.Uid);
        }
        _sessions[session.Uid] = session;
        _uidOfId[session.Id] = session.Uid;
        _sessionsOf.Add(session.Owner, session.Uid);
        Tell(session, lookedBefore, seen);
        return true;
    }

    /// <summary>A session is gone.</summary>
    public void Remove(string uid, DateTimeOffset? at, ICollection<Observation> seen)
    {
        if (!_sessions.Remove(uid, out var session))
        {
            return;
        }
        _sessionsOf.Remove(session.Owner, uid);
        _uidOfId.Remove(session.Id);
        seen.Add(Report(session, ReportedStatus.Ended, at ?? session.DeletingAt ?? clock.GetUtcNow(), true));
    }

    /// <summary>No session is in a namespace by this witness but these.</summary>
    public void KeepSessions(
        string @namespace,
        Witness witness,
        IReadOnlySet<string> uids,
        ICollection<Observation> seen
    )
    {
        var lost = _sessions
            .Values.Where(s => s.Witness == witness && s.Owner.Namespace == @namespace && !uids.Contains(s.Uid))
            .ToList();
        lost.ForEach(s => Remove(s.Uid, null, seen));
    }

    /// <summary>A pod is there.</summary>
    public void See(PodSnapshot pod, ICollection<Observation> seen)
    {
        if (_pods.Remove(pod.Uid, out var before))
        {
            _podsOf.Remove(before.Owner, before.Uid);
        }
        _pods[pod.Uid] = pod;
        _podsOf.Add(pod.Owner, pod.Uid);
        TellOf(pod.Owner, seen);
    }

    /// <summary>A pod is gone.</summary>
    public void RemovePod(string uid, ICollection<Observation> seen)
    {
        if (_pods.Remove(uid, out var pod))
        {
            _podsOf.Remove(pod.Owner, uid);
            TellOf(pod.Owner, seen);
        }
    }

    /// <summary>No pod is in a namespace but these: from now on they decide there whether a session is ready.</summary>
    public void KeepPods(string @namespace, IReadOnlySet<string> uids, ICollection<Observation> seen)
    {
        var lost = _pods.Values.Where(p => p.Owner.Namespace == @namespace && !uids.Contains(p.Uid)).ToList();
        lost.ForEach(p => RemovePod(p.Uid, seen));
        if (_podsSeenIn.Add(@namespace))
        {
            TellIn(@namespace, seen);
        }
    }

    /// <summary>The pods of a namespace cannot be seen any more.</summary>
    public void RemovePods(string @namespace, ICollection<Observation> seen)
    {
        if (!_podsSeenIn.Remove(@namespace))
        {
            return;
        }
        foreach (var pod in _pods.Values.Where(p => p.Owner.Namespace == @namespace).ToList())
        {
            _pods.Remove(pod.Uid);
            _podsOf.Remove(pod.Owner, pod.Uid);
        }
        TellIn(@namespace, seen);
    }

    private void TellIn(string @namespace, ICollection<Observation> seen)
    {
        foreach (var session in _sessions.Values.Where(s => s.Owner.Namespace == @namespace))
        {
            Tell(session, true, seen);
        }
    }

    private void TellOf(Owner owner, ICollection<Observation> seen)
    {
        foreach (var uid in _sessionsOf[owner])
        {
            Tell(_sessions[uid], true, seen);
        }
    }

    private void Tell(SessionSnapshot session, bool lookedBefore, ICollection<Observation> seen)
    {
        var readySince = ReadySince(session);
        var status = session.Status(_podsSeenIn.Contains(session.Owner.Namespace), readySince is not null);
        if (status == session.Reported)
        {
            return;
        }
        session.Reported = status;
        var at = status switch
        {
            ReportedStatus.Running => readySince,
            ReportedStatus.Ending => session.DeletingAt,
            _ => null,
        };
        seen.Add(Report(session, status, at ?? clock.GetUtcNow(), lookedBefore));
    }

    // The pod that is labelled with the session, if there is one; else the one it shares, in version 1.
    private DateTimeOffset? ReadySince(SessionSnapshot session)
    {
        DateTimeOffset? own = null;
        DateTimeOffset? shared = null;
        var hasOwn = false;
        foreach (var uid in _podsOf[session.Owner])
        {
            var pod = _pods[uid];
            if (pod.SessionId == session.Id)
            {
                hasOwn = true;
                own = Earlier(own, pod.ReadySince);
            }
            shared = Earlier(shared, pod.ReadySince);
        }
        return hasOwn || session.Witness is Witness.Workload ? own : shared;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null || other < one ? other : one;

    private static StatusReported Report(
        SessionSnapshot session,
        ReportedStatus status,
        DateTimeOffset at,
        bool lookedBefore
    ) =>
        new(session.Id, at < session.CreatedAt ? session.CreatedAt : at, status, session.Error?.Message)
        {
            Cause = session.Error?.Cause ?? FailureCause.Other,
            User = new PlatformUser(null, session.Owner.User),
            Template = session.Owner.Template,
            Platform = "kubernetes",
            Witness = session.Witness,
            Uid = session.LifeUid,
            CreatedAt = session.CreatedAt,
            LookedBefore = lookedBefore,
        };
}
