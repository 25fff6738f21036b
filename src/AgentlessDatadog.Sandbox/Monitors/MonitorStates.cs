using System.Globalization;
using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>
/// How each metric monitor stands. It is looked at when somebody asks: at every minute since it was looked at last, so that
/// what happened meanwhile counts whoever watched, and at now. Other monitors have no state.
/// </summary>
internal sealed class MonitorStates(
    AssetStore monitors,
    MetricStore metrics,
    AssetStore configurations,
    TimeProvider time
)
{
    // Of a longer time that nobody looked, as many moments as this.
    private const int MaxMoments = 60;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Dictionary<string, MonitorState> _states = [];

    /// <summary>How one stands now; null for one that is not a metric monitor.</summary>
    public MonitorState? Of(Asset monitor)
    {
        if (MonitorRules.QueryOf(monitor.Body) is not { } query)
        {
            return null;
        }
        var evaluation = new MonitorEvaluation(query, MonitorOptions.Of(monitor));
        var now = time.GetUtcNow();
        lock (_lock)
        {
            var modified = monitor.Text("modified")!;
            var state = _states.GetValueOrDefault(monitor.Id);
            if (state?.Modified != modified)
            {
                state = MonitorState.New(modified, DateTimeOffset.Parse(modified, CultureInfo.InvariantCulture));
            }
            foreach (var moment in Moments(state.EvaluatedAt, now))
            {
                state = Next(evaluation, state, moment);
            }
            _states[monitor.Id] = state;
            Forget();
            return state;
        }
    }

    private MonitorState Next(MonitorEvaluation evaluation, MonitorState state, DateTimeOffset moment)
    {
        try
        {
            return QueryEngine.Run(metrics, configurations, engine => evaluation.Next(engine, state, moment));
        }
        catch (ApiError)
        {
            // What its metrics cannot answer, as percentiles of a gauge, is no data.
            return state with { EvaluatedAt = moment };
        }
    }

    private static IEnumerable<DateTimeOffset> Moments(DateTimeOffset last, DateTimeOffset now)
    {
        var step = TimeSpan.FromTicks(Math.Max(Period.Ticks, (now - last).Ticks / MaxMoments));
        for (var moment = last + step; moment < now; moment += step)
        {
            yield return moment;
        }
        yield return now;
    }

    /// <summary>Of monitors that are gone nothing is kept.</summary>
    private void Forget()
    {
        if (_states.Count > monitors.List().Count)
        {
            var there = monitors.List().Select(monitor => monitor.Id).ToHashSet();
            _states = _states.Where(pair => there.Contains(pair.Key)).ToDictionary();
        }
    }
}
