namespace StreamSpace.Plugins;

/// <summary>
/// One life of a session at one moment. A session id that is used again begins another life; all times are the
/// platform's own, not those of receipt.
/// </summary>
public sealed record Session
{
    /// <summary>Identifies this life: made of the session id and its creation time. Stable over restarts.</summary>
    public required string LifeId { get; init; }

    /// <summary>The platform's session id (the name of the session resource).</summary>
    public required string Id { get; init; }

    /// <summary>What is true now.</summary>
    public required SessionState State { get; init; }

    /// <summary>Whose session it is.</summary>
    public PlatformUser User { get; init; } = PlatformUser.Unknown;

    /// <summary>The template's name, or null while unknown.</summary>
    public string? Template { get; init; }

    /// <summary><c>kubernetes</c>, <c>docker</c> …, or null while unknown.</summary>
    public string? Platform { get; init; }

    /// <summary>When it was asked for, or null when that was before anyone looked.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it was first confirmed running, or null.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, or null while it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Begin of the stretch it is awake in, or null while it is only asked for, sleeps, has failed or has ended.</summary>
    public DateTimeOffset? AwakeSince { get; init; }

    /// <summary>Sum of its earlier waking stretches.</summary>
    public TimeSpan AwakeBefore { get; init; }

    /// <summary>Meant to run and, where that can be seen, there; not failed, not lapsed, not ended, not being deleted.</summary>
    public bool Active => State is SessionState.Starting or SessionState.Running;

    /// <summary>Running time up to <paramref name="at"/>, sleep excluded; never negative.</summary>
    public TimeSpan RunningTime(DateTimeOffset at) =>
        AwakeSince is { } since && at > since ? AwakeBefore + (at - since) : AwakeBefore;
}
