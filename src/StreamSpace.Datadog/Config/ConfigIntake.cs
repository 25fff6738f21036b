using AgentlessDatadog;

namespace StreamSpace.Datadog.Config;

/// <summary>The far end that a config describes.</summary>
internal static class ConfigIntake
{
    // The Agent's own key that stands for "no key" (docs/reference/datadog.md §2.1): well-formed, and of no account.
    private const string NoAccountKey = "00000000000000000000000000000000";

    /// <param name="config">What the operator wants.</param>
    /// <param name="local">The sandbox that the host brings, or null.</param>
    /// <param name="instance">A tag that tells our metrics about ourselves apart from another installation's.</param>
    public static TelemetryOptions Intake(this DatadogConfig config, Uri? local, string instance)
    {
        var sandbox = config.Site == DatadogConfig.Sandbox;
        return new TelemetryOptions
        {
            Site = config.Site,
            IntakeUrl = config.IntakeUrl ?? (sandbox ? local : null),
            ApiKey = config.ApiKey ?? (sandbox ? NoAccountKey : null),
            // The demo never leaves this machine.
            Proxy = config.KeepsDataLocal ? _ => null : config.Proxy,
            FlushInterval = config.MetricsInterval,
            Tags = config.GlobalTags,
            Metrics = config.EnableMetrics,
            Traces = config.EnableTraces,
            Logs = config.EnableLogs,
            TracesEndpoint = config.TracesEndpoint,
            Service = config.Service,
            Host = config.Host ?? Environment.MachineName,
            // What the demo has left in the queue is for this machine's sandbox alone, not for one elsewhere.
            Destination =
                !sandbox ? "datadog"
                : config.KeepsDataLocal ? "sandbox"
                : "remote sandbox",
            QueueMaxBytes = config.QueueMaxBytes,
            OnUncertain = config.OnUncertain,
            MaxSeries = config.MaxSeries,
            SelfMetrics = new SelfMetrics("streamspace.datadog.", [instance]),
        };
    }
}
