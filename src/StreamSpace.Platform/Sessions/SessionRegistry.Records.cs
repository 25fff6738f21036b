using StreamSpace.Platform.Sources;

namespace StreamSpace.Platform.Sessions;

/// <content>
/// What a source reads that keeps records: they complete what others see, in names and dates, and begin, move and end
/// nothing.
/// </content>
internal sealed partial class SessionRegistry
{
    private readonly UserNames _names;

    private Observation Completed(Observation seen) =>
        seen switch
        {
            UserActed act => act with { User = _names.Complete(act.User) },
            SessionObservation session when _names.Complete(session.User) is var user && user != session.User =>
                session with
                {
                    User = user,
                },
            _ => seen,
        };

    private void Describe(Life life, SessionDescribed described)
    {
        if (
            life is { Session.CreatedAt: null, FailedAt: null }
            && described.CreatedAt is { } created
            && created <= life.FirstSeenAt
            && !(created <= life.FormerEnd)
        )
        {
            // Known now, but not seen: a creation that is still to come is told then.
            var dated = life.CreatedAt(created) with
            {
                Introduced = life.Introduced,
            };
            _lives.Put(dated);
            _update.Change(dated.Session);
        }
    }

    // Whoever is known by half, or by a name that is no more, is known better now.
    private void Name(UsersNamed named)
    {
        _names.Learn(named.Users);
        foreach (var life in _lives.Open.ToList())
        {
            var user = _names.Complete(life.Session.User);
            if (user != life.Session.User)
            {
                var renamed = life.Session with { User = user };
                _lives.Put(life with { Session = renamed });
                _update.Change(renamed);
            }
        }
    }
}
