namespace StreamSpace.Plugins;

/// <summary>An agent of StreamSpace 2: it makes sessions on one platform, such as one cluster.</summary>
/// <param name="Id">What the agent calls itself.</param>
/// <param name="Platform"><c>kubernetes</c>, <c>docker</c> …, or null while unknown.</param>
/// <param name="Connected">StreamSpace says that it is connected.</param>
/// <param name="HeardAt">When it was heard last, by the host's clock, or null when it never was.</param>
public sealed record PlatformAgent(string Id, string? Platform, bool Connected, DateTimeOffset? HeardAt)
{
    // What StreamSpace itself takes for gone; heartbeats come every 30 seconds (docs/reference/streamspace.md §8.4).
    private static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromSeconds(90);

    /// <summary>True when StreamSpace would give it a session at <paramref name="at"/>, by the host's clock.</summary>
    public bool IsOnline(DateTimeOffset at) => Connected && at - HeardAt <= HeartbeatTimeout;
}
