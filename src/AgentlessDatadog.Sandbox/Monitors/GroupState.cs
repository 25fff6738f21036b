namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>How one group of a monitor stands.</summary>
/// <param name="Name">Its tags, joined by commas; <c>*</c> for a monitor that has no groups.</param>
/// <param name="FirstSeen">When it first had a value.</param>
internal sealed record GroupState(string Name, DateTimeOffset FirstSeen)
{
    public MonitorStatus Status { get; init; }

    /// <summary>Since when it stands so.</summary>
    public DateTimeOffset Since { get; init; } = FirstSeen;

    /// <summary>When it last had a value; null when it never had one.</summary>
    public DateTimeOffset? LastData { get; init; }

    /// <summary>What was compared last; null when it never had a value.</summary>
    public double? Value { get; init; }

    /// <summary>When it last went to alert or to a warning.</summary>
    public DateTimeOffset? LastTriggered { get; init; }

    /// <summary>When it last was well again.</summary>
    public DateTimeOffset? LastResolved { get; init; }

    /// <summary>When its data last stayed away.</summary>
    public DateTimeOffset? LastNoData { get; init; }

    /// <summary>The same with the status that it has from a moment on.</summary>
    public GroupState With(MonitorStatus status, DateTimeOffset now) =>
        status == Status
            ? this
            : this with
            {
                Status = status,
                Since = now,
                LastTriggered = status is MonitorStatus.Alert or MonitorStatus.Warn ? now : LastTriggered,
                LastResolved = status == MonitorStatus.Ok ? now : LastResolved,
                LastNoData = status == MonitorStatus.NoData ? now : LastNoData,
            };
}
