using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>The series that the sessions of one user and template share.</summary>
/// <param name="tags">The tags user and template.</param>
/// <param name="template">The tag template alone.</param>
internal sealed class GroupSeries(string[] tags, string[] template)
{
    private readonly Dictionary<string, Distribution> _distributions = [];
    private Gauge? _active;
    private Gauge? _longest;
    private DateTimeOffset? _silentFrom;

    /// <summary>The tags user and template.</summary>
    public string[] Tags => tags;

    /// <summary>Open sessions counted for the coming flush.</summary>
    public int Open { get; set; }

    /// <summary>Active sessions counted for the coming flush.</summary>
    public int Active { get; set; }

    /// <summary>Longest running time seen for the coming flush, in seconds; negative when there is none.</summary>
    public double Longest { get; set; } = -1;

    /// <summary>Sets the shared gauges and begins counting anew. False when nothing is left to say.</summary>
    public bool Observe(DateTimeOffset flush, TelemetryPipeline pipeline)
    {
        if (Longest >= 0)
        {
            _longest ??= pipeline.Gauge(MetricCatalog.SessionDuration.Name, tags, MetricCatalog.SessionDuration.Unit);
            _longest.Set(Longest);
        }
        else
        {
            _longest?.Dispose();
            _longest = null;
        }
        if (Active > 0)
        {
            _active ??= pipeline.Gauge(MetricCatalog.SessionActive.Name, tags);
            _active.Set(Active);
            _silentFrom = null;
        }
        else if (_active is not null)
        {
            // A zero until the hour is over, so that a graph falls; then silence, so that it is not billed for ever.
            _silentFrom ??= flush.AddHours(1).AddTicks(-(flush.Ticks % TimeSpan.TicksPerHour));
            if (flush >= _silentFrom)
            {
                Release();
            }
            _active?.Set(0);
        }
        var more = Open > 0 || _active is not null || _longest is not null;
        if (!more)
        {
            Release();
        }
        (Open, Active, Longest) = (0, 0, -1);
        return more;
    }

    /// <summary>It was active before we were: should it prove to be no more, that is said with a zero.</summary>
    public void WasActive(TelemetryPipeline pipeline) =>
        _active ??= pipeline.Gauge(MetricCatalog.SessionActive.Name, tags);

    /// <summary>Adds one measurement of a session to the distributions of its template.</summary>
    public void Record(TelemetryPipeline pipeline, SessionUsage e)
    {
        Record(MetricCatalog.CpuUsage, e.CpuPercent is { } cpu ? Math.Clamp(cpu, 0, 100) : null);
        Record(MetricCatalog.MemoryUsage, e.MemoryBytes);
        Record(MetricCatalog.StorageUsage, e.StorageBytes);

        void Record(MetricDefinition metric, double? value)
        {
            if (value is { } sample)
            {
                Of(pipeline, metric).Record(sample);
            }
        }
    }

    /// <summary>The distribution of running times of its template.</summary>
    public Distribution Durations(TelemetryPipeline pipeline) => Of(pipeline, MetricCatalog.SessionDuration);

    /// <summary>Releases the shared series.</summary>
    public void Release()
    {
        _active?.Dispose();
        _longest?.Dispose();
        foreach (var distribution in _distributions.Values)
        {
            distribution.Dispose();
        }
        _distributions.Clear();
        (_active, _longest, _silentFrom) = (null, null, null);
    }

    private Distribution Of(TelemetryPipeline pipeline, MetricDefinition metric)
    {
        if (!_distributions.TryGetValue(metric.Name, out var distribution))
        {
            var of = metric.AsDistribution;
            distribution = pipeline.Distribution(of.Name, template, of.Unit);
            _distributions.Add(metric.Name, distribution);
        }
        return distribution;
    }
}
