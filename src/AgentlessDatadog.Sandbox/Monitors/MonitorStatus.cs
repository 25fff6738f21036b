namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>How a monitor or a group of it stands, the worse the greater.</summary>
internal enum MonitorStatus
{
    Ok,
    NoData,
    Warn,
    Alert,
}

internal static class MonitorStatuses
{
    /// <summary>As Datadog writes it.</summary>
    public static string Name(this MonitorStatus status) =>
        status switch
        {
            MonitorStatus.Ok => "OK",
            MonitorStatus.NoData => "No Data",
            MonitorStatus.Warn => "Warn",
            _ => "Alert",
        };
}
