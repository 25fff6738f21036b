using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources;

/// <summary>
/// One thing that a source saw. It may be seen twice, late, or by two sources: the registry alone decides what
/// of it is news.
/// </summary>
/// <param name="At">When it happened, by the platform's clock.</param>
public abstract record Observation(DateTimeOffset At)
{
    /// <summary>The id of the message that carried it, or null. The same id is the same observation.</summary>
    public string? MessageId { get; init; }
}

/// <summary>Something seen of one session.</summary>
/// <param name="SessionId">The platform's session id.</param>
/// <param name="At">When.</param>
public abstract record SessionObservation(string SessionId, DateTimeOffset At) : Observation(At)
{
    /// <summary>Whose session it is, as far as this observation tells.</summary>
    public PlatformUser User { get; init; } = PlatformUser.Unknown;

    /// <summary>The template's name, or null.</summary>
    public string? Template { get; init; }

    /// <summary><c>kubernetes</c>, <c>docker</c> …, or null.</summary>
    public string? Platform { get; init; }
}

/// <summary>A session was asked for: the beginning of a life.</summary>
/// <inheritdoc cref="SessionObservation"/>
public sealed record CreateRequested(string SessionId, DateTimeOffset At) : SessionObservation(SessionId, At);

/// <summary>A session was asked to end. Where nothing else tells of ends, this is the end.</summary>
/// <inheritdoc cref="SessionObservation"/>
public sealed record DeleteRequested(string SessionId, DateTimeOffset At) : SessionObservation(SessionId, At);

/// <summary>A session was asked to sleep. That it sleeps is a status of its own, which follows.</summary>
/// <inheritdoc cref="SessionObservation"/>
public sealed record HibernateRequested(string SessionId, DateTimeOffset At) : SessionObservation(SessionId, At);

/// <summary>A session was asked to wake. That it runs is a status of its own, which follows.</summary>
/// <inheritdoc cref="SessionObservation"/>
public sealed record WakeRequested(string SessionId, DateTimeOffset At) : SessionObservation(SessionId, At);

/// <summary>What a status can say.</summary>
public enum ReportedStatus
{
    /// <summary>It was asked for, and is not there yet.</summary>
    Requested,

    /// <summary>It is there and meant to run; that it runs is not confirmed yet.</summary>
    Pending,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It sleeps.</summary>
    Hibernated,

    /// <summary>It could not be made, or broke.</summary>
    Failed,

    /// <summary>It is being deleted, and still there.</summary>
    Ending,

    /// <summary>It is gone.</summary>
    Ended,
}

/// <summary>How a session stands: a level, which may be told again and again.</summary>
/// <inheritdoc cref="SessionObservation"/>
/// <param name="SessionId">The platform's session id.</param>
/// <param name="At">When it stood so.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Message">The platform's words about it, or null.</param>
public sealed record StatusReported(string SessionId, DateTimeOffset At, ReportedStatus Status, string? Message = null)
    : SessionObservation(SessionId, At)
{
    /// <summary>Of which kind the failure is, of a status that is one.</summary>
    public FailureCause Cause { get; init; }

    /// <summary>When the session was asked for, where the source knows it.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>What it was read from.</summary>
    public Witness Witness { get; init; }

    /// <summary>
    /// The platform's own id of this one life, from a source that looks at the session itself (of version 2 the session
    /// id, which is used once); null when it comes from a message. What was seen outranks what was said.
    /// </summary>
    public string? Uid { get; init; }

    /// <summary>True when the source had looked before: a session that nobody knows yet is then a new one.</summary>
    public bool LookedBefore { get; init; }
}

/// <summary>All the sessions there are: of those that were seen before, whatever is missing has ended.</summary>
/// <param name="Uids">As in <see cref="StatusReported.Uid"/>.</param>
/// <param name="At">When it was all there was.</param>
public sealed record SessionsListed(IReadOnlySet<string> Uids, DateTimeOffset At) : Observation(At)
{
    /// <summary>What was listed.</summary>
    public Witness Witness { get; init; } = Witness.Resource;
}

/// <summary>
/// The sessions themselves are being looked at, and none is there that was not reported. Said again and again, for as
/// long as it is so: what somebody else tells of and this one does not see is then not there.
/// </summary>
/// <param name="At">When.</param>
public sealed record SessionsWatched(DateTimeOffset At) : Observation(At)
{
    /// <summary>What is looked at.</summary>
    public Witness Witness { get; init; } = Witness.Resource;
}

/// <summary>What a session uses now: a level. A part that was not measured is null.</summary>
/// <inheritdoc cref="SessionObservation"/>
/// <param name="SessionId">The platform's session id.</param>
/// <param name="At">When it was measured.</param>
/// <param name="CpuPercent">0 to 100 of the session's CPU limit.</param>
/// <param name="MemoryBytes">Bytes of memory in use.</param>
/// <param name="StorageBytes">Bytes of the home volume in use.</param>
public sealed record UsageMeasured(
    string SessionId,
    DateTimeOffset At,
    double? CpuPercent,
    double? MemoryBytes,
    double? StorageBytes
) : SessionObservation(SessionId, At);

/// <summary>
/// What someone keeps on record about a session: it completes an open life, and never begins, moves or ends one.
/// </summary>
/// <inheritdoc cref="SessionObservation"/>
public sealed record SessionDescribed(string SessionId, DateTimeOffset At) : SessionObservation(SessionId, At)
{
    /// <summary>When the session was asked for, or null.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>What can happen to a user.</summary>
public enum UserAct
{
    /// <summary>The account was made.</summary>
    Created,

    /// <summary>The account was removed.</summary>
    Deleted,

    /// <summary>The user logged in.</summary>
    LoggedIn,

    /// <summary>The user logged out.</summary>
    LoggedOut,
}

/// <summary>Something happened to a user.</summary>
/// <param name="FactId">Made by the one source that owns this kind of fact; the same whenever the fact is told again.</param>
/// <param name="Act">What happened.</param>
/// <param name="User">The user, as far as the source tells.</param>
/// <param name="At">When.</param>
public sealed record UserActed(string FactId, UserAct Act, PlatformUser User, DateTimeOffset At) : Observation(At);

/// <summary>How many user accounts there are: a level.</summary>
/// <param name="Total">The number, zero or more.</param>
/// <param name="At">When it was counted.</param>
public sealed record UsersTotalled(int Total, DateTimeOffset At) : Observation(At);

/// <summary>The agents of StreamSpace 2 that were approved: a level.</summary>
/// <param name="Agents">All of them.</param>
/// <param name="At">When they were read.</param>
public sealed record AgentsSeen(IReadOnlyList<PlatformAgent> Agents, DateTimeOffset At) : Observation(At);

/// <summary>
/// Whether StreamSpace's API is connected to NATS, by which alone it makes sessions in version 1
/// (docs/reference/streamspace.md §4.5): a level.
/// </summary>
/// <param name="ConnectedSince">Since when, or null when it is not.</param>
/// <param name="At">Since when it is not, or when it was looked at.</param>
public sealed record ApiConnectionSeen(DateTimeOffset? ConnectedSince, DateTimeOffset At) : Observation(At);

/// <summary>How StreamSpace's API answers requests for sessions: a level.</summary>
/// <param name="RefusedSince">Since when it refuses every one, or null when it took the last one.</param>
/// <param name="At">When the last one was made.</param>
public sealed record CreatesAnswered(DateTimeOffset? RefusedSince, DateTimeOffset At) : Observation(At);

/// <summary>
/// Which username belongs to which user id, as far as it is news. Other sources name a user by one or the other
/// (docs/reference/streamspace.md §2.1); the registry completes them with this.
/// </summary>
/// <param name="Users">Users of whom both parts are known; a later name of the same id replaces the earlier.</param>
/// <param name="At">When it was read.</param>
public sealed record UsersNamed(IReadOnlyList<PlatformUser> Users, DateTimeOffset At) : Observation(At);
