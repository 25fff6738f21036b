using StreamSpace.Platform.Sources;

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

    /// <summary>Where sessions themselves are looked at, one that is asked for must be there to be seen within so long.</summary>
    public static readonly TimeSpan SightTimeout = TimeSpan.FromMinutes(1);

    // Whoever looks at sessions says so more often.
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromSeconds(30);

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

    /// <summary>
    /// True for a request that is fresh, where the sessions themselves are looked at now: it will show, or fail.
    /// </summary>
    public bool IsToShow(SessionObservation request) =>
        IsWatching && Now - request.At <= SightTimeout && Life.IsPlatformOfCluster(request.Platform);

    /// <summary>True when nothing has shown a request since it was made, though sessions themselves are looked at.</summary>
    public bool IsMissing(Life request) => IsWatching && _watchedAt > request.Due - SightTimeout;

    /// <summary>
    /// True for a request that is worth waiting for until the sessions themselves are looked at again: it is fresh, or somebody
    /// has spoken of it since.
    /// </summary>
    public bool MayStillShow(Life request) =>
        request.StateAt > DateTimeOffset.MinValue
            ? Now - request.StateAt < SilenceTimeout - Renewal
            : Now - request.FirstSeenAt < RequestTimeout;

    /// <summary>True while a source looks at the sessions themselves, as far as we know.</summary>
    public bool IsWatching => Now - _watchedAt <= WatchTimeout;

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
