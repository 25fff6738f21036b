using AgentlessDatadog;

namespace StreamSpace.Datadog.Mapping;

/// <summary>A metric's name, type and unit, one per row of docs/metrics.md.</summary>
internal sealed record MetricDefinition(string Name, MetricType Type, string? Unit = null)
{
    /// <summary>The same measure as a distribution: another name, so that no metric ever changes its type.</summary>
    public MetricDefinition AsDistribution => new($"{Name}.dist", MetricType.Distribution, Unit);
}

/// <summary>Every metric that the plugin sends about StreamSpace. Units are from Datadog's closed list (docs/reference/datadog.md §3.8).</summary>
internal static class MetricCatalog
{
    public static readonly MetricDefinition SessionCreated = new("streamspace.session.created", MetricType.Count);
    public static readonly MetricDefinition SessionTerminated = new("streamspace.session.terminated", MetricType.Count);
    public static readonly MetricDefinition SessionFailed = new("streamspace.session.failed", MetricType.Count);
    public static readonly MetricDefinition SessionActive = new("streamspace.session.active", MetricType.Gauge);
    public static readonly MetricDefinition SessionDuration = new(
        "streamspace.session.duration",
        MetricType.Gauge,
        "second"
    );
    public static readonly MetricDefinition SessionLifetime = new(
        "streamspace.session.lifetime",
        MetricType.Distribution,
        "second"
    );
    public static readonly MetricDefinition TimeToReady = new(
        "streamspace.session.time_to_ready",
        MetricType.Distribution,
        "second"
    );
    public static readonly MetricDefinition SessionsTotal = new("streamspace.sessions.total", MetricType.Gauge);
    public static readonly MetricDefinition SessionsPending = new("streamspace.sessions.pending", MetricType.Gauge);
    public static readonly MetricDefinition SessionsPendingAge = new(
        "streamspace.sessions.pending_age",
        MetricType.Gauge,
        "second"
    );

    public static readonly MetricDefinition AgentsOnline = new("streamspace.agents.online", MetricType.Gauge);
    public static readonly MetricDefinition AgentHeartbeatAge = new(
        "streamspace.agent.heartbeat_age",
        MetricType.Gauge,
        "second"
    );

    public static readonly MetricDefinition CpuUsage = new(
        "streamspace.session.cpu_usage",
        MetricType.Gauge,
        "percent"
    );
    public static readonly MetricDefinition MemoryUsage = new(
        "streamspace.session.memory_usage",
        MetricType.Gauge,
        "byte"
    );
    public static readonly MetricDefinition StorageUsage = new(
        "streamspace.session.storage_usage",
        MetricType.Gauge,
        "byte"
    );

    public static readonly MetricDefinition UserCreated = new("streamspace.user.created", MetricType.Count);
    public static readonly MetricDefinition UserLogin = new("streamspace.user.login", MetricType.Count);
    public static readonly MetricDefinition UserLogout = new("streamspace.user.logout", MetricType.Count);
    public static readonly MetricDefinition SourceUp = new("streamspace.source.up", MetricType.Gauge);

    public static readonly MetricDefinition UsersTotal = new("streamspace.users.total", MetricType.Gauge);
}
