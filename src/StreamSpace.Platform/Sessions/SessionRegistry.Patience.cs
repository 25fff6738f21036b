namespace StreamSpace.Platform.Sessions;

/// <content>What time alone brings: nothing is held, expected or remembered for ever, so that all that is held is bounded.</content>
internal sealed partial class SessionRegistry
{
    /// <summary>A request that nothing confirms counts as meant to run for so long.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(10);

    /// <summary>An end waits so long for the creation that should have come before it.</summary>
    public static readonly TimeSpan HeldEndTimeout = TimeSpan.FromSeconds(10);

    /// <summary>An ended or lapsed life is remembered for so long, so that late news and replays do no harm.</summary>
    public static readonly TimeSpan ClosedRetention = TimeSpan.FromHours(48);

    /// <summary>A session that only messages told of lapses when they tell nothing of it for so long.</summary>
    public static readonly TimeSpan SilenceTimeout = TimeSpan.FromDays(30);

    // It takes a moment until what is asked for is there to be seen.
    private static readonly TimeSpan SightTimeout = TimeSpan.FromMinutes(1);

    // Renewed by the day, not by the message.
    private static readonly TimeSpan Renewal = TimeSpan.FromDays(1);

    /// <summary>Lets our time pass: requests lapse, held ends are told, old lives are forgotten.</summary>
    public void Tick(DateTimeOffset now)
    {
        _now = now;
        while (_lives.NextDue(now) is { } life)
        {
            if (life.HeldEnd is { } end)
            {
                End(life, end);
                continue;
            }
            if (MayStillBeThere(life))
            {
                _lives.Put(life with { Due = now + RequestTimeout });
                continue;
            }
            Lapse(life);
        }
        _lives.Forget(now);
    }

    private Life Expected(Life life) => life with { Due = Expires(life) };

    // What only messages tell of is not there for ever: where the cluster is looked at it must be seen in time, and
    // elsewhere be spoken of again.
    private DateTimeOffset Expires(Life life)
    {
        if (_looked && IsOfCluster(life))
        {
            var soon = _now + RequestTimeout;
            return life.Due < soon ? life.Due.Value : soon;
        }
        return life.Due > _now + SilenceTimeout - Renewal ? life.Due.Value : _now + SilenceTimeout;
    }

    // Of a session that somebody spoke of, and not long ago, its absence must be seen before it lapses: a cluster that is
    // away shows nothing.
    private bool MayStillBeThere(Life life) =>
        life.StateAt > DateTimeOffset.MinValue
        && _now - life.StateAt < SilenceTimeout - Renewal
        && !(_looked && IsOfCluster(life) && _lookedAt >= life.Due - RequestTimeout + SightTimeout);
}
