using System.Text.Json.Serialization;

namespace StreamSpace.Plugins;

/// <summary>Something that happened on the platform and can be counted.</summary>
/// <param name="At">When it became true, by the platform's clock.</param>
public abstract record PlatformFact(DateTimeOffset At)
{
    /// <summary>The same on every telling of the same fact, also after a restart.</summary>
    public required string Id { get; init; }

    /// <summary>Its place in the host's log of facts, from 1; 0 while it is not there yet.</summary>
    [JsonIgnore]
    public long Sequence { get; init; }
}

/// <summary>Something that happened to one session.</summary>
/// <param name="Session">The session as it is after it.</param>
/// <param name="At">When.</param>
public abstract record SessionFact(Session Session, DateTimeOffset At) : PlatformFact(At)
{
    /// <summary>
    /// How it stood until now, since the last fact that told of it: one stretch after the other. None with its creation, and
    /// none where nothing is known of it; of very many the last ones.
    /// </summary>
    public IReadOnlyList<SessionStretch> Passed
    {
        get => field ?? [];
        init;
    }
}

/// <summary>A session was asked for. Once per life.</summary>
/// <inheritdoc cref="SessionFact"/>
public sealed record SessionCreated(Session Session, DateTimeOffset At) : SessionFact(Session, At);

/// <summary>A session was confirmed running for the first time. Once per life, and only after a creation that was seen.</summary>
/// <inheritdoc cref="SessionFact"/>
public sealed record SessionStarted(Session Session, DateTimeOffset At) : SessionFact(Session, At);

/// <summary>A session went to sleep.</summary>
/// <inheritdoc cref="SessionFact"/>
public sealed record SessionHibernated(Session Session, DateTimeOffset At) : SessionFact(Session, At);

/// <summary>A session woke up.</summary>
/// <inheritdoc cref="SessionFact"/>
public sealed record SessionWoken(Session Session, DateTimeOffset At) : SessionFact(Session, At);

/// <summary>A session failed. Once per life.</summary>
/// <inheritdoc cref="SessionFact"/>
/// <param name="Session">The session as it is after it.</param>
/// <param name="At">When.</param>
/// <param name="Reason">The platform's words, or null.</param>
public sealed record SessionFailed(Session Session, DateTimeOffset At, string? Reason) : SessionFact(Session, At)
{
    /// <summary>Of which kind the failure is.</summary>
    public FailureCause Cause { get; init; }
}

/// <summary>A session ended. Once per life, and the last word on it.</summary>
/// <inheritdoc cref="SessionFact"/>
public sealed record SessionEnded(Session Session, DateTimeOffset At) : SessionFact(Session, At);

/// <summary>Something that happened to one user.</summary>
/// <param name="User">The user, as far as the platform tells.</param>
/// <param name="At">When.</param>
public abstract record UserFact(PlatformUser User, DateTimeOffset At) : PlatformFact(At);

/// <summary>A user account was made.</summary>
/// <inheritdoc cref="UserFact"/>
public sealed record UserCreated(PlatformUser User, DateTimeOffset At) : UserFact(User, At);

/// <summary>A user account was removed.</summary>
/// <inheritdoc cref="UserFact"/>
public sealed record UserDeleted(PlatformUser User, DateTimeOffset At) : UserFact(User, At);

/// <summary>A user logged in.</summary>
/// <inheritdoc cref="UserFact"/>
public sealed record UserLoggedIn(PlatformUser User, DateTimeOffset At) : UserFact(User, At);

/// <summary>A user logged out.</summary>
/// <inheritdoc cref="UserFact"/>
public sealed record UserLoggedOut(PlatformUser User, DateTimeOffset At) : UserFact(User, At);

/// <summary>StreamSpace's API can make no sessions any more.</summary>
/// <param name="Reason">In a sentence that says what users see.</param>
/// <param name="Fix">What to do, in a sentence.</param>
/// <param name="At">Since when.</param>
public sealed record ApiFailed(string Reason, string Fix, DateTimeOffset At) : PlatformFact(At);

/// <summary>StreamSpace's API can make sessions again.</summary>
/// <param name="FailedAt">Since when it could not.</param>
/// <param name="At">When that was seen to be over.</param>
public sealed record ApiRecovered(DateTimeOffset FailedAt, DateTimeOffset At) : PlatformFact(At);
