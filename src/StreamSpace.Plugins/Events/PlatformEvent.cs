namespace StreamSpace.Plugins;

/// <summary>
/// Something that became true on the platform. A fact has an <see cref="Id"/> and can be counted; a level has
/// none and may repeat, for the next one replaces it.
/// </summary>
/// <param name="At">When it became true, by the platform's clock.</param>
public abstract record PlatformEvent(DateTimeOffset At)
{
    /// <summary>The same on every delivery of the same fact, also after a restart; null for a level.</summary>
    public string? Id { get; init; }
}

/// <summary>Something about one session.</summary>
/// <param name="Session">The session as it is after the event.</param>
/// <param name="At">When.</param>
public abstract record SessionEvent(Session Session, DateTimeOffset At) : PlatformEvent(At);

/// <summary>Level: a session that was there before anyone looked, or that the host knew from before.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionFound(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Level: something other than the facts below changed, such as a template becoming known.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionChanged(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Fact: a session was asked for. Once per life.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionCreated(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Fact: a session was confirmed running for the first time. Once per life, and only after a creation that was seen.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionStarted(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Fact: a session went to sleep.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionHibernated(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Fact: a session woke up.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionWoken(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Fact: a session failed. Once per life.</summary>
/// <inheritdoc cref="SessionEvent"/>
/// <param name="Session">The session as it is after the event.</param>
/// <param name="At">When.</param>
/// <param name="Reason">The platform's words, or null.</param>
public sealed record SessionFailed(Session Session, DateTimeOffset At, string? Reason) : SessionEvent(Session, At);

/// <summary>Fact: a session ended. Once per life, and the last word on it.</summary>
/// <inheritdoc cref="SessionEvent"/>
public sealed record SessionEnded(Session Session, DateTimeOffset At) : SessionEvent(Session, At);

/// <summary>Level: what a session uses now. A part that was not measured is null.</summary>
/// <param name="Session">The session as it is.</param>
/// <param name="At">When it was measured.</param>
/// <param name="CpuPercent">0 to 100 of the session's CPU limit.</param>
/// <param name="MemoryBytes">Bytes of memory in use.</param>
/// <param name="StorageBytes">Bytes of the home volume in use.</param>
public sealed record SessionMeasured(
    Session Session,
    DateTimeOffset At,
    double? CpuPercent,
    double? MemoryBytes,
    double? StorageBytes
) : SessionEvent(Session, At);

/// <summary>Something about one user.</summary>
/// <param name="User">The user, as far as the platform tells.</param>
/// <param name="At">When.</param>
public abstract record UserEvent(PlatformUser User, DateTimeOffset At) : PlatformEvent(At);

/// <summary>Fact: a user account was made.</summary>
/// <inheritdoc cref="UserEvent"/>
public sealed record UserCreated(PlatformUser User, DateTimeOffset At) : UserEvent(User, At);

/// <summary>Fact: a user account was removed.</summary>
/// <inheritdoc cref="UserEvent"/>
public sealed record UserDeleted(PlatformUser User, DateTimeOffset At) : UserEvent(User, At);

/// <summary>Fact: a user logged in.</summary>
/// <inheritdoc cref="UserEvent"/>
public sealed record UserLoggedIn(PlatformUser User, DateTimeOffset At) : UserEvent(User, At);

/// <summary>Fact: a user logged out.</summary>
/// <inheritdoc cref="UserEvent"/>
public sealed record UserLoggedOut(PlatformUser User, DateTimeOffset At) : UserEvent(User, At);

/// <summary>Level: how many user accounts there are.</summary>
/// <param name="Total">The number, zero or more.</param>
/// <param name="At">When it was counted.</param>
public sealed record UsersCounted(int Total, DateTimeOffset At) : PlatformEvent(At);
