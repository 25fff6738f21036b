using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Monitors;

/// <summary>Looks at what a metric monitor watches, at one moment after another.</summary>
internal sealed class MonitorEvaluation(MonitorQuery query, MonitorOptions options)
{
    // A plugin sends every ten seconds; finer buckets would hold one of two senders at a time.
    private const int MinInterval = 10;

    // What a monitor keeps of a group; those beyond are not looked at.
    private const int MaxGroups = 1_000;

    private const string Whole = "*";

    // Datadog forgets a group that has been away for this long.
    private static readonly TimeSpan GroupRetention = TimeSpan.FromHours(24);

    // Counts are added up over the whole window before they are reckoned with (docs/reference/datadog.md §8.3).
    private readonly bool _addsUpFirst =
        query.OverTime == Aggregation.Sum && query.Watched.Queries().All(one => one.Reading == Reading.AsCount);

    private readonly bool _countsMissingAsZero = query.Watched.Queries().All(one => one.Reading == Reading.AsCount);

    /// <summary>How it stands at a moment that is not before the one it was looked at last.</summary>
    public MonitorState Next(QueryEngine engine, MonitorState before, DateTimeOffset now)
    {
        var values = Values(engine, now - options.EvaluationDelay);
        var groups = new Dictionary<string, GroupState>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            var known =
                before.Groups.GetValueOrDefault(name) ?? new GroupState(name, now) { Status = MonitorStatus.Ok };
            groups[name] = Judged(known with { LastData = now, Value = value }, value, now);
        }
        foreach (var (name, known) in before.Groups)
        {
            if (!groups.ContainsKey(name) && now - (known.LastData ?? known.FirstSeen) < GroupRetention)
            {
                groups[name] = WithoutData(known, now);
            }
        }
        if (query.GroupBy.Count == 0 && groups.Count == 0)
        {
            groups[Whole] = WithoutData(new GroupState(Whole, now) { Status = MonitorStatus.NoData }, now);
        }
        var overall =
            groups.Count > 0 ? groups.Values.Max(group => group.Status)
            : options.OnMissingData == "resolve" ? MonitorStatus.Ok
            : MonitorStatus.NoData;
        return before with
        {
            EvaluatedAt = now,
            Overall = overall,
            Since = overall == before.Overall ? before.Since : now,
            Groups = groups,
        };
    }

    private Dictionary<string, double> Values(QueryEngine engine, DateTimeOffset now)
    {
        var from = query.Window.StartAt(now).ToUnixTimeSeconds();
        // The window's first second belongs to the one before.
        var window = new QueryWindow(from + 1, Math.Max(from + 1, now.ToUnixTimeSeconds()))
        {
            CountsAreZeroWhereMissing = true,
        };
        window = window with
        {
            Interval = Math.Max(MinInterval, window.IntervalOf(null)),
            IsOneBucket = _addsUpFirst || query.OverTime == Aggregation.Percentile,
        };
        var aggregator = query.OverTime == Aggregation.Percentile ? "percentile" : query.OverTime.Name();
        return engine
            .Evaluate(query.Watched, window)
            .Series.Where(series => series.Points.Count > 0)
            .Take(MaxGroups)
            .ToDictionary(
                series => series.TagSet.Count == 0 ? Whole : series.Group,
                series => ScalarAggregator.Of(aggregator, series.Points, series.Interval)!.Value
            );
    }

    private GroupState WithoutData(GroupState known, DateTimeOffset now) =>
        options.OnMissingData switch
        {
            "show_no_data" or "show_and_notify_no_data" => known.With(MonitorStatus.NoData, now),
            "resolve" => known.With(MonitorStatus.Ok, now),
            _ when _countsMissingAsZero => Judged(known, 0, now),
            _ => known,
        };

    private GroupState Judged(GroupState known, double value, DateTimeOffset now) =>
        query.GroupBy.Count > 0 && now - known.FirstSeen < options.NewGroupDelay
            ? known
            : known.With(StatusOf(known.Status, value), now);

    private MonitorStatus StatusOf(MonitorStatus before, double value)
    {
        if (
            IsBeyond(value, query.Threshold)
            || (before == MonitorStatus.Alert && IsBeyond(value, options.CriticalRecovery))
        )
        {
            return MonitorStatus.Alert;
        }
        var wasWarning = before is MonitorStatus.Alert or MonitorStatus.Warn;
        return
            IsBeyond(value, options.Warning)
            || (wasWarning && options.Warning is not null && IsBeyond(value, options.WarningRecovery))
            ? MonitorStatus.Warn
            : MonitorStatus.Ok;
    }

    private bool IsBeyond(double value, double? threshold) =>
        threshold is { } bound && Comparison.Holds(value, query.Comparator, bound);
}
