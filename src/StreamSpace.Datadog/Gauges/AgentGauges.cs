using AgentlessDatadog;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>
/// Which agents of StreamSpace 2 are online, and since when each was not heard. Nothing where there are none by design.
/// </summary>
internal sealed class AgentGauges(TelemetryPipeline pipeline)
{
    private readonly Dictionary<string, Gauge> _ages = new(StringComparer.Ordinal);
    private IReadOnlyList<PlatformAgent>? _agents;
    private PlatformTags? _tags;
    private Gauge? _online;

    /// <summary>Goes on under other tags: every series begins anew at the next flush.</summary>
    public void Use(PlatformTags tags)
    {
        _tags = tags;
        _online?.Dispose();
        _online = null;
        RemoveAllBut([]);
    }

    /// <summary>Takes what is true.</summary>
    public void Apply(PlatformState state) => _agents = state.Agents ?? (state.IsSnapshot ? null : _agents);

    /// <summary>Sets every gauge that follows from what is true at <paramref name="flush"/>.</summary>
    public void Observe(DateTimeOffset flush)
    {
        if (_agents is not { } agents || _tags is not { } tags)
        {
            return;
        }
        _online ??= pipeline.Gauge(MetricCatalog.AgentsOnline.Name, [], MetricCatalog.AgentsOnline.Unit);
        _online.Set(agents.Count(a => a.IsOnline(flush)));
        // Of two whom Datadog cannot tell apart, the one that was not heard for longer.
        var heard = agents
            .Where(a => a.HeardAt is not null)
            .GroupBy(a => string.Join(',', tags.Of(a)))
            .ToDictionary(a => a.Key, a => (Tags: tags.Of(a.First()), At: a.Min(one => one.HeardAt!.Value)));
        foreach (var (key, agent) in heard)
        {
            if (!_ages.TryGetValue(key, out var age))
            {
                var metric = MetricCatalog.AgentHeartbeatAge;
                _ages[key] = age = pipeline.Gauge(metric.Name, agent.Tags, metric.Unit);
            }
            age.Set(Math.Max(0, (flush - agent.At).TotalSeconds));
        }
        RemoveAllBut(heard.Keys);
    }

    private void RemoveAllBut(IReadOnlyCollection<string> keys)
    {
        foreach (var gone in _ages.Keys.Where(key => !keys.Contains(key)).ToList())
        {
            _ages[gone].Dispose();
            _ages.Remove(gone);
        }
    }
}
