namespace AgentlessDatadog;

/// <summary>A way to Datadog with limits, compression and back-off of its own; trouble on one never holds another.</summary>
public enum Lane
{
    /// <summary>Gauges, counts and rates: <c>/api/v2/series</c>.</summary>
    Metrics,

    /// <summary>Raw distribution values: <c>/api/v1/distribution_points</c>.</summary>
    Distributions,

    /// <summary>Events, one a request: <c>/api/v1/events</c>.</summary>
    Events,
}
