namespace StreamSpace.Platform.Sessions;

/// <summary>Since when StreamSpace's API can make no sessions, and by whose word. At least one of them says so.</summary>
/// <param name="Since">When it began.</param>
internal sealed record ApiOutage(DateTimeOffset Since)
{
    /// <summary>Since when NATS has no connection of it, or null.</summary>
    public DateTimeOffset? DisconnectedSince { get; init; }

    /// <summary>Since when it refuses every request for a session, or null.</summary>
    public DateTimeOffset? RefusingSince { get; init; }

    /// <summary>When it refused the last one, or null.</summary>
    public DateTimeOffset? RefusedAt { get; init; }
}
