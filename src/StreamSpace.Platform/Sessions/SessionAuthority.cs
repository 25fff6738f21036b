using System.Diagnostics.CodeAnalysis;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// What a source sees that looks at the sessions themselves. Its word is final on whether a session is there, how
/// it stands and when it ended; messages then only add what they alone know.
/// </summary>
internal sealed class SessionAuthority(SessionLives lives, SessionExpiry expiry, SessionLifecycle lifecycle)
{
    /// <summary>True for a life that was seen: what messages say of its state counts for nothing.</summary>
    public bool Outranks([NotNullWhen(true)] Life? life) =>
        expiry.IsWatched && life is { Uid: not null, Closed: false };

    /// <summary>
    /// True for a message of the controller about a session that nobody has seen, where sessions are seen: it is gone again,
    /// or will be seen in a moment. Only what fails before there is a session is never seen.
    /// </summary>
    public bool IsHearsay(Life? life, SessionObservation seen) =>
        expiry.IsWatched
        && IsOfCluster(life, seen)
        && seen is StatusReported { Status: not ReportedStatus.Failed } or HibernateRequested or WakeRequested
        && life is null or { Uid: null, Introduced: false, Session.State: SessionState.Lapsed };

    /// <summary>
    /// The same observation, for what it is worth: a message says "running" when the parts of a session were made, long
    /// before it is ready.
    /// </summary>
    public SessionObservation Weigh(Life? life, SessionObservation seen) =>
        expiry.IsWatched && seen is StatusReported { Status: ReportedStatus.Running } status && IsOfCluster(life, seen)
            ? status with
            {
                Status = ReportedStatus.Pending,
            }
            : seen;

    /// <summary>A session was looked at.</summary>
    /// <param name="seen">With a <see cref="StatusReported.Uid"/>.</param>
    public void See(StatusReported seen)
    {
        expiry.Watched();
        var life = lives.Find(seen.SessionId);
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

    /// <summary>All the sessions there are were looked at: what was seen before and is missing has ended.</summary>
    public void EndUnlisted(SessionsListed listed)
    {
        expiry.Watched();
        foreach (var life in lives.Open.Where(l => l.Uid is null && l.IsOfCluster).ToList())
        {
            // Messages that were read before the list told of sessions that came and went while nobody looked.
            if (!life.Introduced && (life.Session.Active || life.Session.State is SessionState.Hibernated))
            {
                lifecycle.Lapse(life);
            }
            else
            {
                lives.Put(life with { Due = expiry.Of(life) });
            }
        }
        foreach (var life in lives.Open.Where(l => l.Uid is { } uid && !listed.Uids.Contains(uid)).ToList())
        {
            lifecycle.End(life, NotBefore(life, listed.At));
        }
    }

    // Another life of the same session id shows that this one is over.
    private DateTimeOffset EndUnseen(Life life, DateTimeOffset at)
    {
        var end = NotBefore(life, at);
        lifecycle.End(life, end);
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
            lifecycle.Put(Life.Found(seen with { CreatedAt = created }) with { Uid = seen.Uid, FormerEnd = formerEnd });
            return;
        }
        var begun = Life.Created(Creation(seen, created), formerEnd) with { Uid = seen.Uid };
        lifecycle.Put(begun, FactFactory.Created(begun.Session, created));
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
                lifecycle.Introduce(life, Creation(seen, created));
                return lives.Find(seen.SessionId)!;
            }
            life = life.CreatedAt(created) with { Introduced = false };
        }
        lives.Put(life);
        return life;
    }

    private void Turn(Life life, StatusReported seen)
    {
        life = lifecycle.Learn(life, seen);
        var at = NotBefore(life, seen.At);
        if (seen.Status is ReportedStatus.Ended)
        {
            lifecycle.End(life, at);
        }
        else if (life.Due is not null || Life.StateOf(seen) != life.Session.State)
        {
            lifecycle.Move(life, seen with { At = at });
        }
    }

    private static bool IsOfCluster(Life? life, SessionObservation seen) =>
        Life.IsPlatformOfCluster(seen.Platform ?? life?.Session.Platform);

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
