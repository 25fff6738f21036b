using System.Diagnostics.CodeAnalysis;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <content>
/// What a source sees that looks at the sessions themselves. Its word is final on whether a session is there, how
/// it stands and when it ended; messages then only add what they alone know.
/// </content>
internal sealed partial class SessionRegistry
{
    // True once such a source was heard in this process. Without one, messages decide, whatever was seen in the past.
    private bool _looked;

    private DateTimeOffset _lookedAt;

    private bool Outranked([NotNullWhen(true)] Life? life) => _looked && life is { Uid: not null, Closed: false };

    // A message of the controller about a session that nobody has seen, where sessions are seen: it is gone again, or
    // will be seen in a moment. Only what fails before there is a session is never seen.
    private bool Hearsay(Life? life, SessionObservation seen) =>
        _looked
        && IsOfCluster(life, seen)
        && seen is StatusReported { Status: not ReportedStatus.Failed } or HibernateRequested or WakeRequested
        && life is null or { Uid: null, Introduced: false, Session.State: SessionState.Lapsed };

    // A message says "running" when the parts of a session were made, long before it is ready.
    private SessionObservation Weighed(Life? life, SessionObservation seen) =>
        _looked && seen is StatusReported { Status: ReportedStatus.Running } status && IsOfCluster(life, seen)
            ? status with
            {
                Status = ReportedStatus.Pending,
            }
            : seen;

    private static bool IsOfCluster(Life? life, SessionObservation? seen = null) =>
        (seen?.Platform ?? life?.Session.Platform) is null or "kubernetes";

    private void Watched() => (_looked, _lookedAt) = (true, _now);

    private void Look(StatusReported seen)
    {
        Watched();
        var life = _lives.Find(seen.SessionId);
        var end = life?.Session.EndedAt;
        if (life?.Uid is { } uid ? uid != seen.Uid : end < seen.CreatedAt)
        {
            if (seen.Status is not ReportedStatus.Ended)
            {
                Begin(seen, end ?? EndUnseen(life!, seen.CreatedAt ?? seen.At));
            }
        }
        else if (life is null)
        {
            if (seen.Status is not ReportedStatus.Ended)
            {
                Begin(seen, formerEnd: null);
            }
        }
        else if (end is null)
        {
            Turn(life.Uid is null ? Recognise(life, seen) : life, seen);
        }
    }

    // Another life of the same session id shows that this one is over.
    private DateTimeOffset EndUnseen(Life life, DateTimeOffset at)
    {
        var end = NotBefore(life, at);
        End(life, end);
        return end;
    }

    private void Begin(StatusReported seen, DateTimeOffset? formerEnd)
    {
        // Creation times have whole seconds; the next life yet begins after the former one.
        var created = seen.CreatedAt ?? seen.At;
        if (created <= formerEnd)
        {
            created = formerEnd.Value.AddMilliseconds(1);
        }
        if (!seen.LookedBefore)
        {
            Find(Life.Found(seen with { CreatedAt = created }) with { Uid = seen.Uid, FormerEnd = formerEnd });
            return;
        }
        var begun = Life.Created(Creation(seen, created), formerEnd) with { Uid = seen.Uid };
        _lives.Put(begun);
        Tell(FactFactory.Created(begun.Session, created));
        Turn(begun, seen);
    }

    // A life that was known from messages is the one that is seen now; an end that they told too early is taken back
    // as long as it was held.
    private Life Recognise(Life life, StatusReported seen)
    {
        life = life with { Uid = seen.Uid, HeldEnd = null, Due = null };
        if (!life.Introduced && seen.CreatedAt is { } created)
        {
            if (seen.LookedBefore)
            {
                Introduce(life, Creation(seen, created));
                return _lives.Find(seen.SessionId)!;
            }
            life = life.CreatedAt(created) with { Introduced = false };
        }
        _lives.Put(life);
        return life;
    }

    private void Turn(Life life, StatusReported seen)
    {
        life = Learn(life, seen);
        var at = NotBefore(life, seen.At);
        if (seen.Status is ReportedStatus.Ended)
        {
            End(life, at);
        }
        else if (life.Due is not null || Life.StateOf(seen) != life.Session.State)
        {
            Move(life, seen with { At = at });
        }
    }

    private void EndUnlisted(SessionsListed listed)
    {
        Watched();
        foreach (var life in _lives.Open.Where(l => l.Uid is null && IsOfCluster(l)).ToList())
        {
            // Messages that were read before the list told of sessions that came and went while nobody looked.
            if (!life.Introduced && (life.Session.Active || life.Session.State is SessionState.Hibernated))
            {
                Lapse(life);
            }
            else
            {
                _lives.Put(life with { Due = Expires(life) });
            }
        }
        foreach (var life in _lives.Open.Where(l => l.Uid is { } uid && !listed.Uids.Contains(uid)).ToList())
        {
            End(life, NotBefore(life, listed.At));
        }
    }

    private static CreateRequested Creation(StatusReported seen, DateTimeOffset at) =>
        new(seen.SessionId, at)
        {
            User = seen.User,
            Template = seen.Template,
            Platform = seen.Platform,
        };

    private static DateTimeOffset NotBefore(Life life, DateTimeOffset at) =>
        life.Session.CreatedAt is { } created && at < created ? created : at;
}
