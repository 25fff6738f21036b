using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>Everything held under one name.</summary>
internal sealed class StoredMetric(string name)
{
    public string Name => name;

    /// <summary>The first type that was sent; it never changes.</summary>
    public IntakeMetricType Type { get; set; }

    /// <summary>Seconds, as last sent; 0 for none.</summary>
    public long Interval { get; set; }

    /// <summary>The unit as last sent, known or not.</summary>
    public string SentUnit { get; set; } = "";

    /// <summary>What <c>PUT /api/v1/metrics/{name}</c> and the series' own unit have set.</summary>
    public MetricMetadata Metadata { get; set; } = new();

    /// <summary>When points last came, POSIX seconds.</summary>
    public long LastReceived { get; set; }

    public Dictionary<InternedTags, StoredSeries> Series { get; } = [];
}

/// <summary>What Datadog knows about a name besides its points (docs/reference/datadog.md §3.9); null where nobody said.</summary>
internal sealed record MetricMetadata
{
    public string? Type { get; init; }
    public string? Unit { get; init; }
    public string? PerUnit { get; init; }
    public string? Description { get; init; }
    public string? ShortName { get; init; }
    public long? StatsdInterval { get; init; }
}
