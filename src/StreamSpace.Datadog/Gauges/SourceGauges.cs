using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Gauges;

/// <summary>Whether each source is heard: is the picture whole? Sent also while nothing is known of sessions.</summary>
internal sealed class SourceGauges(TelemetryPipeline pipeline, Func<IReadOnlyList<SourceStatus>> sources)
{
    private readonly Dictionary<string, Gauge> _up = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private bool _enabled;

    /// <summary>Goes on under another config: every series begins anew at the next flush.</summary>
    public void Use(DatadogConfig config)
    {
        lock (_lock)
        {
            _enabled = config.Enabled;
            RemoveAllBut([]);
        }
    }

    /// <summary>Sets the gauge of each source that there is.</summary>
    public void Observe()
    {
        lock (_lock)
        {
            if (!_enabled)
            {
                return;
            }
            var now = sources();
            foreach (var source in now)
            {
                if (!_up.TryGetValue(source.Name, out var up))
                {
                    var metric = MetricCatalog.SourceUp;
                    _up[source.Name] = up = pipeline.Gauge(metric.Name, [$"source:{source.Name}"], metric.Unit);
                }
                up.Set(source.State is SourceState.Up ? 1 : 0);
            }
            RemoveAllBut([.. now.Select(s => s.Name)]);
        }
    }

    private void RemoveAllBut(IReadOnlyCollection<string> names)
    {
        foreach (var gone in _up.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _up[gone].Dispose();
            _up.Remove(gone);
        }
    }
}
