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
    // By the platform's clock: when each witness had last looked at all there is.
    private readonly Dictionary<Witness, DateTimeOffset> _lookedAt = [];

    // The last word of a witness on a session that another, who is believed before it, does not know.
    private readonly Dictionary<string, StatusReported> _unbacked = new(StringComparer.Ordinal);

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
        && (
            life is null or { Uid: null, Introduced: false, Session.State: SessionState.Lapsed }
            || (expiry.IsWatching && life is { Uid: null, Session.State: SessionState.Requested })
        );

    /// <summary>Takes in hearsay: somebody spoke of a life that is expected to show.</summary>
    public void Overhear(Life? life, SessionObservation seen)
    {
        if (life is not null)
        {
            var known = lifecycle.Learn(life, seen);
            lives.Put(known with { StateAt = seen.At > known.StateAt ? seen.At : known.StateAt });
        }
    }

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
        if (life is null || (life.Uid is { } uid ? uid != seen.Uid : end < seen.CreatedAt))
        {
            if (IsUnbacked(seen))
            {
                _unbacked[seen.SessionId] = seen;
            }
            // A row stays when its session has ended: it shows lives that nobody saw.
            else if (seen.Status is not ReportedStatus.Ended || seen is { Witness: Witness.Row, LookedBefore: true })
            {
                Begin(seen, life is null ? null : end ?? EndUnseen(life, seen.CreatedAt ?? seen.At));
                if (_unbacked.Remove(seen.SessionId, out var word))
                {
                    See(word);
                }
            }
        }
        else if (end is null)
        {
            Turn(life.Uid is null || IsIntroducedBy(seen, life) ? Recognise(life, seen) : life, seen);
        }
    }

    /// <summary>A witness has looked at all there is.</summary>
    public void Watched(SessionsWatched watched)
    {
        expiry.Watched();
        _lookedAt[watched.Witness] = watched.At;
    }

    /// <summary>All the sessions there are by a witness: what it saw before and is missing has ended.</summary>
    public void EndUnlisted(SessionsListed listed)
    {
        if (listed.Witness is Witness.Resource)
        {
            ExpectSaid();
        }
        foreach (var life in lives.Open.Where(l => IsMissing(l, listed) || IsUnbacked(l, listed)).ToList())
        {
            if (life.Introduced || life.IsSeenBy(listed.Witness))
            {
                lifecycle.End(life, NotBefore(life, listed.At));
            }
            else
            {
                lifecycle.Lapse(life);
            }
        }
    }

    // Messages that were read before the list told of sessions that came and went while nobody looked.
    private void ExpectSaid()
    {
        expiry.Watched();
        foreach (var life in lives.Open.Where(l => l.Uid is null && l.IsOfCluster).ToList())
        {
            if (!life.Introduced && (life.Session.Active || life.Session.State is SessionState.Hibernated))
            {
                lifecycle.Lapse(life);
            }
            else if (
                life is { Session: { State: SessionState.Starting, CreatedAt: { } asked }, StateAt: var stateAt }
                && stateAt == DateTimeOffset.MinValue
                && expiry.Now - asked <= SessionExpiry.SightTimeout
            )
            {
                lifecycle.Expect(life);
            }
            else
            {
                lives.Put(life with { Due = expiry.Of(life) });
            }
        }
    }

    // One who is believed before this witness has looked since the session was made, and did not tell of it.
    private bool IsUnbacked(StatusReported seen) =>
        TrustOrder
            .Of(seen.Witness)
            .Before(seen.Witness)
            .Any(w => _lookedAt.TryGetValue(w, out var looked) && seen.CreatedAt <= looked);

    private static bool IsMissing(Life life, SessionsListed listed) =>
        life.IsSeenBy(listed.Witness) && !listed.Uids.Contains(life.Uid!);

    private static bool IsUnbacked(Life life, SessionsListed listed) =>
        !life.IsSeenBy(listed.Witness)
        && TrustOrder.Of(listed.Witness).After(listed.Witness).Any(life.IsSeenBy)
        && life.Session.CreatedAt + SessionExpiry.SightTimeout < listed.At;

    // A life that one witness found where it had not looked before, and another knows to be new.
    private static bool IsIntroducedBy(StatusReported seen, Life life) =>
        seen is { Witness: Witness.Row, LookedBefore: true } && !life.Introduced;

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
            lifecycle.Put(
                Life.Found(seen with { CreatedAt = created }) with
                {
                    Uid = seen.Uid,
                    FormerEnd = formerEnd,
                    Testimony = Testimony.None.With(seen.Witness, seen.Status),
                }
            );
            return;
        }
        var state = seen.Status is ReportedStatus.Requested ? SessionState.Requested : SessionState.Starting;
        var begun = Life.Created(Creation(seen, created), state, formerEnd) with { Uid = seen.Uid };
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
        if (life.Testimony.With(seen.Witness, seen.Status) is var testimony && testimony != life.Testimony)
        {
            life = life with { Testimony = testimony };
            lives.Put(life);
        }
        var standing = seen with
        {
            At = NotBefore(life, seen.At),
            Status = TrustOrder.Of(seen.Witness).Combined(testimony) ?? seen.Status,
        };
        if (standing.Status is ReportedStatus.Ended)
        {
            lifecycle.End(life, standing.At);
        }
        else if (life.Due is not null || Life.StateOf(standing) != life.Session.State)
        {
            lifecycle.Move(life, standing);
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
