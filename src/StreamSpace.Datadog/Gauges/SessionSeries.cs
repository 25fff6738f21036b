using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>A session that has not ended, with the cells of its series. A cell is made when it is first set.</summary>
internal sealed class SessionSeries(Session session, GroupSeries group)
{
    /// <summary>The latest snapshot.</summary>
    public Session Session { get; set; } = session;

    /// <summary>The sessions of its user and template.</summary>
    public GroupSeries Group { get; set; } = group;

    public Gauge? Cpu { get; set; }
    public Gauge? Memory { get; set; }
    public Gauge? Storage { get; set; }
    public Gauge? Duration { get; set; }

    /// <summary>Releases its series; each still sends what was set since the last flush.</summary>
    public void Release()
    {
        Cpu?.Dispose();
        Memory?.Dispose();
        Storage?.Dispose();
        Duration?.Dispose();
        (Cpu, Memory, Storage, Duration) = (null, null, null, null);
    }
}
