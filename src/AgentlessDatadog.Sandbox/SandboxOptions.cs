using AgentlessDatadog.Sandbox.Access;
using AgentlessDatadog.Sandbox.Store;
using Microsoft.AspNetCore.Connections;

namespace AgentlessDatadog.Sandbox;

/// <summary>How a sandbox listens, whom it lets in and how long it remembers.</summary>
public sealed record SandboxOptions
{
    /// <summary>
    /// Where to listen: <c>http</c> URLs, port 0 for any free one. An address that is not loopback needs a
    /// <see cref="Gate"/> or an <see cref="AccessToken"/>.
    /// </summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8091"];

    /// <summary>
    /// The valid keys: 32 hex digits for an API key, 40 for an application key. A kind that the list does not name
    /// stays open to every well-formed key; null leaves both open.
    /// </summary>
    public IReadOnlyList<string>? Keys { get; init; }

    /// <summary>How long points and events are kept, from 10 minutes to 7 days.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(4);

    /// <summary>
    /// Given what accepts all connections, what accepts fewer: for a process that has to share out its descriptors. Null
    /// accepts all.
    /// </summary>
    public Func<IConnectionListenerFactory, IConnectionListenerFactory>? Listener { get; init; }

    /// <summary>True keeps the last bodies, decompressed, for <c>GET /sandbox/payloads</c>: for tests.</summary>
    public bool KeepPayloads { get; init; }

    /// <summary>Where a proxy in front of it is reached: its host is answered to as well as where it listens.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>
    /// Says what the caller may do; asked for every request that is neither an intake POST nor a key check. Null lets
    /// everyone do everything who can reach it, under a name of its own: fit for loopback.
    /// </summary>
    public Func<HttpContext, SandboxAccess>? Gate { get; init; }

    /// <summary>In place of a <see cref="Gate"/>: one secret that opens everything.</summary>
    public string? AccessToken { get; init; }

    /// <summary>What memory is bounded by; tests lower it.</summary>
    internal StoreLimits Limits { get; init; } = new();
}
