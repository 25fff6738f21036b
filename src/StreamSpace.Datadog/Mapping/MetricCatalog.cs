using AgentlessDatadog;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// Every metric that the plugin sends, in the order of docs/metrics.md: metadata, dashboards, monitors and export are made of it.
/// </summary>
internal static class MetricCatalog
{
    public static readonly MetricDefinition SessionCreated = new(
        "streamspace.session.created",
        MetricType.Count,
        Unit: null,
        ["user", "template"],
        "Sessions that were asked for."
    );
    public static readonly MetricDefinition SessionTerminated = new(
        "streamspace.session.terminated",
        MetricType.Count,
        Unit: null,
        ["user", "template"],
        "Sessions that ended."
    );
    public static readonly MetricDefinition SessionFailed = new(
        "streamspace.session.failed",
        MetricType.Count,
        Unit: null,
        ["user", "template", "reason"],
        "Sessions that failed, by the reason."
    );
    public static readonly MetricDefinition SessionActive = new(
        "streamspace.session.active",
        MetricType.Gauge,
        Unit: null,
        ["user", "template"],
        "Sessions that are meant to run: not asleep, failed, ended or being deleted. Add them up with sum."
    );
    public static readonly MetricDefinition SessionDuration = new(
        "streamspace.session.duration",
        MetricType.Gauge,
        "second",
        ["user", "template", "session"],
        "Running time so far of each session that is awake, sleep excluded, and the final one at its end."
    );
    public static readonly MetricDefinition SessionsTotal = new(
        "streamspace.sessions.total",
        MetricType.Gauge,
        Unit: null,
        ["state"],
        "Sessions by state: requested, running, hibernated, failed."
    );
    public static readonly MetricDefinition SessionsPending = new(
        "streamspace.sessions.pending",
        MetricType.Gauge,
        Unit: null,
        [],
        "Sessions that were asked for and are not there yet."
    );
    public static readonly MetricDefinition SessionsPendingAge = new(
        "streamspace.sessions.pending_age",
        MetricType.Gauge,
        "second",
        [],
        "How long the oldest session that is not there yet has been waited for; 0 when none is."
    );
    public static readonly MetricDefinition AgentsOnline = new(
        "streamspace.agents.online",
        MetricType.Gauge,
        Unit: null,
        [],
        "Agents of StreamSpace 2 that would be given a session: approved, connected and heard within 90 seconds."
    );
    public static readonly MetricDefinition AgentHeartbeatAge = new(
        "streamspace.agent.heartbeat_age",
        MetricType.Gauge,
        "second",
        ["agent"],
        "How long each approved agent of StreamSpace 2 was not heard."
    );
    public static readonly MetricDefinition TimeToReady = new(
        "streamspace.session.time_to_ready",
        MetricType.Distribution,
        "second",
        ["template"],
        "Time from asking for a session to its first running."
    );
    public static readonly MetricDefinition SessionLifetime = new(
        "streamspace.session.lifetime",
        MetricType.Distribution,
        "second",
        ["template"],
        "Time from asking for a session to its end, sleep included."
    );

    public static readonly MetricDefinition CpuUsage = new(
        "streamspace.session.cpu_usage",
        MetricType.Gauge,
        "percent",
        ["session", "user", "template"],
        "Processor use of a session, 0 to 100 percent of its limit."
    );
    public static readonly MetricDefinition MemoryUsage = new(
        "streamspace.session.memory_usage",
        MetricType.Gauge,
        "byte",
        ["session", "user", "template"],
        "Memory in use by a session."
    );
    public static readonly MetricDefinition StorageUsage = new(
        "streamspace.session.storage_usage",
        MetricType.Gauge,
        "byte",
        ["session", "user", "template"],
        "Home volume in use; one that a user's sessions share counts for the oldest of them that runs."
    );

    public static readonly MetricDefinition UserCreated = new(
        "streamspace.user.created",
        MetricType.Count,
        Unit: null,
        ["user"],
        "User accounts that were made."
    );
    public static readonly MetricDefinition UserLogin = new(
        "streamspace.user.login",
        MetricType.Count,
        Unit: null,
        ["user"],
        "Log-ins."
    );
    public static readonly MetricDefinition UserLogout = new(
        "streamspace.user.logout",
        MetricType.Count,
        Unit: null,
        ["user"],
        "Log-outs."
    );
    public static readonly MetricDefinition UsersTotal = new(
        "streamspace.users.total",
        MetricType.Gauge,
        Unit: null,
        [],
        "User accounts that there are."
    );

    public static readonly MetricDefinition SourceUp = new(
        "streamspace.source.up",
        MetricType.Gauge,
        Unit: null,
        ["source"],
        "1 while a source of what happens on the platform is heard, else 0: is the picture whole?"
    );

    public static readonly MetricDefinition Accepted = Ledger("accepted", "Units that were taken and kept.");
    public static readonly MetricDefinition Delivered = Ledger("delivered", "Units that Datadog took.");
    public static readonly MetricDefinition Overflowed = Ledger(
        "overflowed",
        "Units folded into one series by maxSeries."
    );
    public static readonly MetricDefinition Expired = Ledger(
        "expired",
        "Units too old for Datadog, or without room in the queue."
    );
    public static readonly MetricDefinition Rejected = Ledger("rejected", "Units that Datadog refused for good.");
    public static readonly MetricDefinition Uncertain = Ledger(
        "uncertain",
        "Units that may have arrived, and were not sent again."
    );
    public static readonly MetricDefinition Queued = new(
        "streamspace.datadog.queued",
        MetricType.Gauge,
        Unit: null,
        ["lane", "instance"],
        "Units that wait to be sent."
    );
    public static readonly MetricDefinition Requests = new(
        "streamspace.datadog.requests",
        MetricType.Count,
        "request",
        ["lane", "status", "instance"],
        "Requests to Datadog, by its answer."
    );
    public static readonly MetricDefinition QueueBytes = About("queue.bytes", "byte", "Bytes that wait to be sent.");
    public static readonly MetricDefinition QueueAge = About(
        "queue.age",
        "second",
        "How long the oldest request that waits has waited; 0 when none does."
    );
    public static readonly MetricDefinition SeriesCount = About("series", null, "Series that are held now.");
    public static readonly MetricDefinition FlushSeconds = About(
        "flush.seconds",
        "second",
        "How long the last flush took."
    );

    /// <summary>Those about StreamSpace.</summary>
    public static IReadOnlyList<MetricDefinition> OfPlatform { get; } =
    [
        SessionCreated,
        SessionTerminated,
        SessionFailed,
        SessionActive,
        SessionDuration,
        SessionsTotal,
        SessionsPending,
        SessionsPendingAge,
        AgentsOnline,
        AgentHeartbeatAge,
        TimeToReady,
        SessionLifetime,
        CpuUsage,
        MemoryUsage,
        StorageUsage,
        UserCreated,
        UserLogin,
        UserLogout,
        UsersTotal,
        SourceUp,
    ];

    /// <summary>Those that distributions take the place of, with <c>useDistributions</c>.</summary>
    public static IReadOnlyList<MetricDefinition> PerSession { get; } =
    [SessionDuration, CpuUsage, MemoryUsage, StorageUsage];

    /// <summary>Those distributions.</summary>
    public static IReadOnlyList<MetricDefinition> Distributions { get; } =
    [.. PerSession.Select(gauge => gauge.AsDistribution)];

    /// <summary>Those about the plugin itself, which the pipeline sends.</summary>
    public static IReadOnlyList<MetricDefinition> OfItself { get; } =
    [
        Accepted,
        Delivered,
        Overflowed,
        Expired,
        Rejected,
        Uncertain,
        Queued,
        Requests,
        QueueBytes,
        QueueAge,
        SeriesCount,
        FlushSeconds,
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MetricDefinition> All { get; } = [.. OfPlatform, .. Distributions, .. OfItself];

    /// <summary>Those that a config has sent.</summary>
    public static IEnumerable<MetricDefinition> SentWith(bool useDistributions) =>
        All.Except(useDistributions ? PerSession : Distributions);

    /// <summary>Those that dashboards and monitors ask for percentiles of, which cost as much again as the distribution.</summary>
    public static IReadOnlyList<MetricDefinition> WithPercentiles { get; } = [TimeToReady];

    private static MetricDefinition Ledger(string name, string description) =>
        new($"streamspace.datadog.{name}", MetricType.Count, Unit: null, ["lane", "instance"], description);

    private static MetricDefinition About(string name, string? unit, string description) =>
        new($"streamspace.datadog.{name}", MetricType.Gauge, unit, ["instance"], description);
}
