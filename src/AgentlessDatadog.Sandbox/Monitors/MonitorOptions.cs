using System.Text.Json;
using AgentlessDatadog.Sandbox.Assets;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>What of a monitor's options its state depends on (docs/reference/datadog.md §8.3).</summary>
internal sealed record MonitorOptions
{
    private static readonly TimeSpan DefaultNewGroupDelay = TimeSpan.FromSeconds(60);

    public double? Warning { get; private init; }
    public double? CriticalRecovery { get; private init; }
    public double? WarningRecovery { get; private init; }

    /// <summary><c>default</c>, <c>show_no_data</c>, <c>show_and_notify_no_data</c> or <c>resolve</c>.</summary>
    public string OnMissingData { get; private init; } = "default";

    /// <summary>How long a group is left alone after its first value.</summary>
    public TimeSpan NewGroupDelay { get; private init; }

    /// <summary>By how much it looks at the past instead of at now.</summary>
    public TimeSpan EvaluationDelay { get; private init; }

    public static MonitorOptions Of(Asset monitor)
    {
        var options = monitor.Body.GetProperty("options");
        options.Has("thresholds", JsonValueKind.Object, out var thresholds);
        return new MonitorOptions
        {
            Warning = thresholds.NumberOf("warning"),
            CriticalRecovery = thresholds.NumberOf("critical_recovery"),
            WarningRecovery = thresholds.NumberOf("warning_recovery"),
            OnMissingData =
                options.TextOf("on_missing_data")
                ?? (options.Has("notify_no_data", JsonValueKind.True, out _) ? "show_and_notify_no_data" : "default"),
            NewGroupDelay = SecondsOf(options, "new_group_delay") ?? DefaultNewGroupDelay,
            EvaluationDelay = SecondsOf(options, "evaluation_delay") ?? TimeSpan.Zero,
        };
    }

    private static TimeSpan? SecondsOf(JsonElement options, string field) =>
        options.NumberOf(field) is { } seconds
            ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, TimeSpan.FromDays(1).TotalSeconds))
            : null;
}
