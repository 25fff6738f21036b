namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// Upper bounds of what is held in memory. The oldest goes first, and what went is counted under
/// <c>GET /sandbox/dropped</c>.
/// </summary>
internal sealed record StoreLimits
{
    /// <summary>Points, samples of distributions included. A point takes 12 bytes.</summary>
    public int Points { get; init; } = 10_000_000;

    /// <summary>Series: names times tag sets.</summary>
    public int Series { get; init; } = 1_000_000;

    public int Events { get; init; } = 20_000;

    /// <summary>Bytes of memory for them: one event may bring three million characters.</summary>
    public long EventBytes { get; init; } = 64L << 20;

    public int Spans { get; init; } = 200_000;

    /// <summary>Bytes of memory for them, their attributes above all.</summary>
    public long SpanBytes { get; init; } = 128L << 20;

    public int Logs { get; init; } = 100_000;

    /// <summary>Bytes of memory for them: one may bring a megabyte.</summary>
    public long LogBytes { get; init; } = 64L << 20;

    /// <summary>Dashboards, and as many monitors, SLOs, entities and tag configurations; a further one is refused.</summary>
    public int Assets { get; init; } = 1_000;

    /// <summary>Bytes of memory for those of one kind.</summary>
    public long AssetBytes { get; init; } = 32L << 20;

    /// <summary>Lines in the list of dropped items; its totals go on.</summary>
    public int Dropped { get; init; } = 1_000;

    /// <summary>Lines in the list of requests.</summary>
    public int Requests { get; init; } = 1_000;

    /// <summary>Bytes of kept bodies, when they are kept.</summary>
    public long PayloadBytes { get; init; } = 256L << 20;
}
