using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>How the points of a series become the one figure that a query value, a top list or a monitor shows.</summary>
internal static class ScalarAggregator
{
    /// <summary>Null for no points. A percentile is that of one bucket which is the whole window.</summary>
    public static double? Of(string aggregator, IReadOnlyList<MetricPoint> points, int interval)
    {
        if (points.Count == 0)
        {
            return null;
        }
        var values = points.Select(point => point.Value);
        return aggregator switch
        {
            "min" => values.Min(),
            "max" => values.Max(),
            "sum" => values.Sum(),
            "last" or "percentile" => points[^1].Value,
            "l2norm" => Math.Sqrt(values.Sum(value => value * value)),
            "area" => values.Sum() * interval,
            _ => values.Average(),
        };
    }

    /// <summary>What an expression comes to in a window, one point for each of its series, at the window's beginning.</summary>
    public static Result Evaluate(QueryEngine engine, Expression expression, string aggregator, QueryWindow window)
    {
        var isOneBucket = aggregator == "percentile";
        var result = engine.Evaluate(expression, window with { IsOneBucket = isOneBucket });
        return result with
        {
            Series =
            [
                .. result
                    .Series.Where(series => series.Points.Count > 0)
                    .Select(series =>
                        series with
                        {
                            Points =
                            [
                                new MetricPoint(window.From, Of(aggregator, series.Points, series.Interval)!.Value),
                            ],
                        }
                    ),
            ],
        };
    }
}
