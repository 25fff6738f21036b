using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>What the functions make of what they are of.</summary>
internal static class Functions
{
    private const long Hour = 3_600;
    private const string NoValue = ":N/A";

    /// <summary>By how many seconds a function looks back; null for those that do not.</summary>
    public static long? ShiftOf(Expression.Call call) =>
        call.Function switch
        {
            Function.HourBefore => Hour,
            Function.DayBefore => 24 * Hour,
            Function.WeekBefore => 7 * 24 * Hour,
            Function.Timeshift => -(long)call.Numbers[0],
            _ => null,
        };

    /// <summary>How many points it makes.</summary>
    public static long PointsOf(Expression.Call call, Result of, QueryWindow window) =>
        call.Function == Function.DefaultZero
            ? Math.Max(1, of.Series.Count) * ((window.Span / IntervalOf(of, window)) + 1)
            : of.Series.Sum(series => (long)series.Points.Count);

    public static Result Apply(Expression.Call call, Result of, QueryWindow window) =>
        call.Function switch
        {
            Function.DefaultZero => WithZeros(of, window),
            Function.Abs => Arithmetic.Each(of, Math.Abs),
            Function.ClampMin => Arithmetic.Each(of, value => Math.Max(value, call.Numbers[0])),
            Function.ClampMax => Arithmetic.Each(of, value => Math.Min(value, call.Numbers[0])),
            Function.CutoffMin => Arithmetic.Each(of, value => value < call.Numbers[0] ? double.NaN : value),
            Function.CutoffMax => Arithmetic.Each(of, value => value > call.Numbers[0] ? double.NaN : value),
            Function.IsGreater => Arithmetic.Each(of, value => value > call.Numbers[0] ? 1 : 0),
            Function.IsLess => Arithmetic.Each(of, value => value < call.Numbers[0] ? 1 : 0),
            Function.CountNonzero => WithCount(of, window),
            Function.Cumsum => of with { Series = [.. of.Series.Select(Summed)] },
            Function.ExcludeNull => of with
            {
                Series =
                [
                    .. of.Series.Where(series =>
                        !series.TagSet.Any(tag => tag.EndsWith(NoValue, StringComparison.Ordinal))
                    ),
                ],
            },
            _ => throw new ArgumentException($"{call.Function} looks back", nameof(call)),
        };

    /// <summary>0 in every bucket that holds nothing, and one series of zeros where there is none.</summary>
    private static Result WithZeros(Result of, QueryWindow window)
    {
        var series = of.Series.Count > 0 ? of.Series : [new ResultSeries([], null, IntervalOf(of, window), [])];
        if (of.Constant is not null)
        {
            return of;
        }
        return new Result([.. series.Select(one => one with { Points = Filled(one, window) })])
        {
            // Groups that are not known here are known elsewhere, and are 0 there.
            IsZeroWhereMissing = true,
        };
    }

    private static int IntervalOf(Result of, QueryWindow window) =>
        of.Series.Count > 0 ? of.Series[0].Interval : window.IntervalOf(null);

    private static List<MetricPoint> Filled(ResultSeries series, QueryWindow window)
    {
        var values = series.Points.ToDictionary(point => point.Time, point => point.Value);
        var points = new List<MetricPoint>();
        for (var time = window.BucketOf(window.From, series.Interval); time <= window.To; time += series.Interval)
        {
            points.Add(new MetricPoint(time, values.GetValueOrDefault(time)));
        }
        return points;
    }

    /// <summary>One series for all groups.</summary>
    private static Result WithCount(Result of, QueryWindow window) =>
        of.Series.Count == 0
            ? of
            : new Result([
                new ResultSeries(
                    [],
                    null,
                    IntervalOf(of, window),
                    [
                        .. of
                            .Series.SelectMany(series => series.Points)
                            .GroupBy(point => point.Time)
                            .OrderBy(bucket => bucket.Key)
                            .Select(bucket => new MetricPoint(bucket.Key, bucket.Count(point => point.Value != 0))),
                    ]
                ),
            ]);

    private static ResultSeries Summed(ResultSeries series)
    {
        var sum = 0.0;
        return series with { Points = [.. series.Points.Select(point => point with { Value = sum += point.Value })] };
    }
}
