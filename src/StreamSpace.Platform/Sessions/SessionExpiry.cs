namespace StreamSpace.Platform.Sessions;

/// <summary>How long what is known of a life holds by itself: nothing is held, expected or remembered for ever.</summary>
internal sealed class SessionExpiry
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

    private DateTimeOffset? _watchedAt;

    /// <summary>Our time.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>
    /// True once a source that looks at the sessions themselves was heard in this process. Without one, messages decide,
    /// whatever was seen in the past.
    /// </summary>
    public bool IsWatched => _watchedAt is not null;

    /// <summary>The sessions themselves are looked at now.</summary>
    public void Watched() => _watchedAt = Now;

    /// <summary>
    /// Until when a life of which only messages tell is believed: where the cluster is looked at it must be seen in time, and
    /// elsewhere be spoken of again.
    /// </summary>
    public DateTimeOffset Of(Life life)
    {
        if (IsWatched && life.IsOfCluster)
        {
            var soon = Now + RequestTimeout;
            return life.Due < soon ? life.Due.Value : soon;
        }
        return life.Due > Now + SilenceTimeout - Renewal ? life.Due.Value : Now + SilenceTimeout;
    }

    /// <summary>
    /// True for a session that somebody spoke of, and not long ago, while its absence was not seen: a cluster that is away
    /// shows nothing.
    /// </summary>
    public bool MayStillBeThere(Life life) =>
        life.StateAt > DateTimeOffset.MinValue
        && Now - life.StateAt < SilenceTimeout - Renewal
        && !(life.IsOfCluster && _watchedAt >= life.Due - RequestTimeout + SightTimeout);
}
