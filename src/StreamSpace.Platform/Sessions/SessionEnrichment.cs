using StreamSpace.Platform.Sources;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// What a source reads that keeps records: it completes what others see, in names and dates, and begins, moves and ends
/// nothing.
/// </summary>
internal sealed class SessionEnrichment(SessionLives lives, UserNames names, SessionLifecycle lifecycle)
{
    /// <summary>The same observation, with both parts of its user where they are known.</summary>
    public Observation Complete(Observation seen) =>
        seen switch
        {
            UserActed act => act with { User = names.Complete(act.User) },
            SessionObservation session when names.Complete(session.User) is var user && user != session.User =>
                session with
                {
                    User = user,
                },
            _ => seen,
        };

    /// <summary>Dates a life that was there before anyone looked.</summary>
    public void Describe(Life life, SessionDescribed described)
    {
        if (
            life is { Session.CreatedAt: null, FailedAt: null }
            && described.CreatedAt is { } created
            && created <= life.FirstSeenAt
            && !(created <= life.FormerEnd)
        )
        {
            // Known now, but not seen: a creation that is still to come is told then.
            lifecycle.Put(life.CreatedAt(created) with { Introduced = life.Introduced });
        }
    }

    /// <summary>Whoever is known by half, or by a name that is no more, is known better now.</summary>
    public void Name(UsersNamed named)
    {
        names.Learn(named.Users);
        foreach (var life in lives.Open.ToList())
        {
            var user = names.Complete(life.Session.User);
            if (user != life.Session.User)
            {
                lifecycle.Put(life with { Session = life.Session with { User = user } });
            }
        }
    }
}
