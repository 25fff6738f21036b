using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>
/// The series of one session, or of all whose tags are one to Datadog: of these the memory and storage in use are added up,
/// and the processor use and the running time are the highest. A cell is made when it is first set.
/// </summary>
/// <param name="key">What it is known by: the sessions of its user and template, and the value of the tag session.</param>
internal sealed class SessionSeries((GroupSeries Group, string Session) key)
{
    private Gauge? _cpu;
    private Gauge? _memory;
    private Gauge? _storage;
    private Gauge? _duration;
    private int _sessions;

    // What each life used last, once there are several.
    private Dictionary<string, SessionUsage>? _usages;

    /// <summary>What it is known by: the sessions of its user and template, and the value of the tag session.</summary>
    public (GroupSeries Group, string Session) Key => key;

    /// <summary>Longest running time among its sessions for the coming flush, in seconds; negative when there is none.</summary>
    public double Longest { get; set; } = -1;

    /// <summary>Whether it has a session, or something to say at the coming flush.</summary>
    public bool IsNeeded => _sessions > 0 || Longest >= 0;

    /// <summary>A session bears its tags.</summary>
    public void Add() => _sessions++;

    /// <summary>The session of <paramref name="life"/> is no more, or bears other tags.</summary>
    public void Remove(string life)
    {
        _sessions--;
        _usages?.Remove(life);
    }

    /// <summary>Takes what one of its sessions uses.</summary>
    public void Measure(SessionUsage usage, TelemetryPipeline pipeline)
    {
        var (cpu, memory, storage) = (usage.CpuPercent, usage.MemoryBytes, usage.StorageBytes);
        if (_sessions > 1)
        {
            _usages ??= [];
            _usages[usage.LifeId] = usage;
            cpu = cpu is null ? null : _usages.Values.Max(u => u.CpuPercent);
            memory = memory is null ? null : _usages.Values.Sum(u => u.MemoryBytes);
            storage = storage is null ? null : _usages.Values.Sum(u => u.StorageBytes);
        }
        if (cpu is { } percent)
        {
            (_cpu ??= Cell(MetricCatalog.CpuUsage, pipeline)).Set(Math.Clamp(percent, 0, 100));
        }
        if (memory is { } inMemory)
        {
            (_memory ??= Cell(MetricCatalog.MemoryUsage, pipeline)).Set(inMemory);
        }
        if (storage is { } stored)
        {
            (_storage ??= Cell(MetricCatalog.StorageUsage, pipeline)).Set(stored);
        }
    }

    /// <summary>Sets the running time, and begins anew.</summary>
    public void Observe(TelemetryPipeline pipeline)
    {
        if (Longest >= 0)
        {
            (_duration ??= Cell(MetricCatalog.SessionDuration, pipeline)).Set(Longest);
        }
        Longest = -1;
    }

    /// <summary>Releases its cells; each still sends what was set since the last flush.</summary>
    public void Release()
    {
        _cpu?.Dispose();
        _memory?.Dispose();
        _storage?.Dispose();
        _duration?.Dispose();
        (_cpu, _memory, _storage, _duration) = (null, null, null, null);
    }

    private Gauge Cell(MetricDefinition metric, TelemetryPipeline pipeline) =>
        pipeline.Gauge(metric.Name, [$"{PlatformTags.SessionPrefix}{key.Session}", .. key.Group.Tags], metric.Unit);
}
