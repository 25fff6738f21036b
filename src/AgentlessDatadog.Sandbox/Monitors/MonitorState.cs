namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>How a monitor stands.</summary>
/// <param name="Modified">Which edition of the monitor it is of.</param>
/// <param name="EvaluatedAt">When it was looked at last.</param>
/// <param name="Overall">The worst of its groups; without any, that there is no data.</param>
/// <param name="Since">Since when that is so; null when it was never otherwise.</param>
/// <param name="Groups">Its groups by their names.</param>
internal sealed record MonitorState(
    string Modified,
    DateTimeOffset EvaluatedAt,
    MonitorStatus Overall,
    DateTimeOffset? Since,
    IReadOnlyDictionary<string, GroupState> Groups
)
{
    /// <summary>What is known of one that nobody has looked at yet.</summary>
    public static MonitorState New(string modified, DateTimeOffset now) =>
        new(modified, now, MonitorStatus.NoData, null, new Dictionary<string, GroupState>());

    /// <summary>When one of its groups last went to alert or to a warning.</summary>
    public DateTimeOffset? LastTriggered => Groups.Values.Max(group => group.LastTriggered);
}
