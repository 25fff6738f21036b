using AgentlessDatadog;

namespace StreamSpace.Datadog;

/// <summary>A metric's name, type and unit, one per row of docs/metrics.md.</summary>
internal sealed record Metric(string Name, MetricType Type, string? Unit = null)
{
    /// <summary>The same measure as a distribution: another name, so that no metric ever changes its type.</summary>
    public Metric AsDistribution => new($"{Name}.dist", MetricType.Distribution, Unit);
}

/// <summary>Every metric that the plugin sends about StreamSpace. Units are from Datadog's closed list (docs/reference/datadog.md §3.8).</summary>
internal static class Metrics
{
    public static readonly Metric SessionCreated = new("streamspace.session.created", MetricType.Count);
    public static readonly Metric SessionTerminated = new("streamspace.session.terminated", MetricType.Count);
    public static readonly Metric SessionFailed = new("streamspace.session.failed", MetricType.Count);
    public static readonly Metric SessionActive = new("streamspace.session.active", MetricType.Gauge);
    public static readonly Metric SessionDuration = new("streamspace.session.duration", MetricType.Gauge, "second");
    public static readonly Metric SessionLifetime = new(
        "streamspace.session.lifetime",
        MetricType.Distribution,
        "second"
    );
    public static readonly Metric TimeToReady = new(
        "streamspace.session.time_to_ready",
        MetricType.Distribution,
        "second"
    );
    public static readonly Metric SessionsTotal = new("streamspace.sessions.total", MetricType.Gauge);

    public static readonly Metric CpuUsage = new("streamspace.session.cpu_usage", MetricType.Gauge, "percent");
    public static readonly Metric MemoryUsage = new("streamspace.session.memory_usage", MetricType.Gauge, "byte");
    public static readonly Metric StorageUsage = new("streamspace.session.storage_usage", MetricType.Gauge, "byte");

    public static readonly Metric UserCreated = new("streamspace.user.created", MetricType.Count);
    public static readonly Metric UserLogin = new("streamspace.user.login", MetricType.Count);
    public static readonly Metric UserLogout = new("streamspace.user.logout", MetricType.Count);
    public static readonly Metric UsersTotal = new("streamspace.users.total", MetricType.Gauge);
}
