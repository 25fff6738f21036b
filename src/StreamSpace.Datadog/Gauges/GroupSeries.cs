using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <summary>The sessions of one user and template, and the series that they share.</summary>
internal sealed class SessionGroup(string[] tags, string? template)
{
    private readonly Dictionary<string, Distribution> _distributions = [];
    private Gauge? _active;
    private Gauge? _longest;
    private DateTimeOffset? _silentFrom;

    /// <summary>Open sessions counted for the coming cut.</summary>
    public int Open { get; set; }

    /// <summary>Active sessions counted for the coming cut.</summary>
    public int Active { get; set; }

    /// <summary>Longest running time seen for the coming cut, in seconds; negative when there is none.</summary>
    public double Longest { get; set; } = -1;

    /// <summary>Sets the shared gauges and begins counting anew. False when nothing is left to say.</summary>
    public bool Look(DateTimeOffset cut, TelemetryPipeline pipeline)
    {
        if (Longest >= 0)
        {
            _longest ??= pipeline.Gauge(Metrics.SessionDuration.Name, tags, Metrics.SessionDuration.Unit);
            _longest.Set(Longest);
        }
        else
        {
            _longest?.Dispose();
            _longest = null;
        }
        if (Active > 0)
        {
            _active ??= pipeline.Gauge(Metrics.SessionActive.Name, tags);
            _active.Set(Active);
            _silentFrom = null;
        }
        else if (_active is not null)
        {
            // A zero until the hour is over, so that a graph falls; then silence, so that it is not billed for ever.
            _silentFrom ??= cut.AddHours(1).AddTicks(-(cut.Ticks % TimeSpan.TicksPerHour));
            if (cut >= _silentFrom)
            {
                LetGo();
            }
            _active?.Set(0);
        }
        var more = Open > 0 || _active is not null || _longest is not null;
        if (!more)
        {
            LetGo();
        }
        (Open, Active, Longest) = (0, 0, -1);
        return more;
    }

    /// <summary>It was active before we were: should it prove to be no more, that is said with a zero.</summary>
    public void WasActive(TelemetryPipeline pipeline) => _active ??= pipeline.Gauge(Metrics.SessionActive.Name, tags);

    /// <summary>Adds one measurement of a session to the distributions of its template.</summary>
    public void Record(TelemetryPipeline pipeline, SessionUsage e)
    {
        Record(Metrics.CpuUsage, e.CpuPercent is { } cpu ? Math.Clamp(cpu, 0, 100) : null);
        Record(Metrics.MemoryUsage, e.MemoryBytes);
        Record(Metrics.StorageUsage, e.StorageBytes);

        void Record(Metric metric, double? value)
        {
            if (value is { } sample)
            {
                Of(pipeline, metric).Record(sample);
            }
        }
    }

    /// <summary>The distribution of running times of its template.</summary>
    public Distribution Durations(TelemetryPipeline pipeline) => Of(pipeline, Metrics.SessionDuration);

    /// <summary>Releases the shared series.</summary>
    public void LetGo()
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

    private Distribution Of(TelemetryPipeline pipeline, Metric metric)
    {
        if (!_distributions.TryGetValue(metric.Name, out var distribution))
        {
            var of = metric.AsDistribution;
            distribution = pipeline.Distribution(of.Name, Tags.Of(template), of.Unit);
            _distributions.Add(metric.Name, distribution);
        }
        return distribution;
    }
}
