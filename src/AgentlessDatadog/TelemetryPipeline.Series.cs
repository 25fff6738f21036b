using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog;

/// <content>Series to hold on to.</content>
public sealed partial class TelemetryPipeline
{
    /// <summary>A gauge to hold on to, and to dispose when what it measures has gone.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Gauge Gauge(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Gauge)Hold(metric, MetricType.Gauge, tags, unit);

    /// <summary>A count to hold on to. What it holds is not journaled: a crash loses what no flush has taken.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Counter Counter(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Counter)Hold(metric, MetricType.Count, tags, unit);

    /// <summary>A distribution to hold on to. What it holds is not journaled: a crash loses what no flush has taken.</summary>
    /// <exception cref="ArgumentException">The name or unit is bad, or the name has another type already.</exception>
    public Distribution Distribution(string metric, IReadOnlyList<string> tags, string? unit = null) =>
        (Distribution)Hold(metric, MetricType.Distribution, tags, unit);

    private Series Hold(string metric, MetricType type, IReadOnlyList<string> tags, string? unit)
    {
        if ((MeasurementRules.NameFault(metric) ?? MeasurementRules.UnitFault(unit)) is { } fault)
            throw new ArgumentException(fault, nameof(metric));
        return _table.Hold(metric, type, tags, unit);
    }
}
