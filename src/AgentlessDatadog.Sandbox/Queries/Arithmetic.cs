using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>Reckons with what two expressions come to: group by group and bucket by bucket.</summary>
internal static class Arithmetic
{
    /// <summary>
    /// Groups of the same tags belong together, and what is not grouped belongs to every group. A value that one side does not
    /// have is 0 where that side says so, else there is none; nor is there one of a division by 0.
    /// </summary>
    public static Result Of(char sign, Result left, Result right) =>
        (left.Constant, right.Constant) switch
        {
            ({ } one, { } other) => new Result([]) { Constant = Reckon(sign, one, other) },
            ({ } one, null) => Each(right, value => Reckon(sign, one, value)),
            (null, { } other) => Each(left, value => Reckon(sign, value, other)),
            _ => new Result([.. Pairs(left, right).Select(pair => Join(sign, left, right, pair.Left, pair.Right))])
            {
                IsZeroWhereMissing = left.IsZeroWhereMissing && right.IsZeroWhereMissing,
            },
        };

    /// <summary>How many points are looked at for it: what is not grouped, again for every group.</summary>
    public static long PointsIn(Result left, Result right)
    {
        var (lefts, rights) = (Points(left), Points(right));
        return IsWhole(right) ? lefts + (left.Series.Count * rights)
            : IsWhole(left) ? rights + (right.Series.Count * lefts)
            : lefts + rights;
    }

    private static long Points(Result result) => result.Series.Sum(series => (long)series.Points.Count);

    /// <summary>The same with every value changed; a value that is no number any more goes.</summary>
    public static Result Each(Result result, Func<double, double> change) =>
        result with
        {
            Series = [.. result.Series.Select(series => series with { Points = Changed(series.Points, change) })],
        };

    private static List<MetricPoint> Changed(IEnumerable<MetricPoint> points, Func<double, double> change) =>
        [
            .. points
                .Select(point => point with { Value = change(point.Value) })
                .Where(point => !double.IsNaN(point.Value)),
        ];

    private static IEnumerable<(ResultSeries? Left, ResultSeries? Right)> Pairs(Result left, Result right)
    {
        if (IsWhole(right) && !IsWhole(left) && left.Series.Count > 0)
        {
            return left.Series.Select(series => ((ResultSeries?)series, (ResultSeries?)right.Series[0]));
        }
        if (IsWhole(left) && !IsWhole(right) && right.Series.Count > 0)
        {
            return right.Series.Select(series => ((ResultSeries?)left.Series[0], (ResultSeries?)series));
        }
        var rights = right.Series.ToDictionary(Key);
        var lefts = left.Series.ToDictionary(Key);
        return left
            .Series.Select(series => ((ResultSeries?)series, rights.GetValueOrDefault(Key(series))))
            .Concat(
                right
                    .Series.Where(series => !lefts.ContainsKey(Key(series)))
                    .Select(series => ((ResultSeries?)null, (ResultSeries?)series))
            )
            .Where(pair =>
                (pair.Item1 is not null || left.IsZeroWhereMissing)
                && (pair.Item2 is not null || right.IsZeroWhereMissing)
            );
    }

    private static bool IsWhole(Result result) => result.Series is [{ TagSet.Count: 0 }];

    // In whichever order the keys were written.
    private static string Key(ResultSeries series) => string.Join(',', series.TagSet.Order(StringComparer.Ordinal));

    private static ResultSeries Join(char sign, Result left, Result right, ResultSeries? one, ResultSeries? other)
    {
        var ones = (one?.Points ?? []).ToDictionary(point => point.Time, point => point.Value);
        var others = (other?.Points ?? []).ToDictionary(point => point.Time, point => point.Value);
        var points = new List<MetricPoint>(Math.Max(ones.Count, others.Count));
        foreach (var time in ones.Keys.Union(others.Keys).Order())
        {
            if (
                ValueAt(ones, time, left) is { } first
                && ValueAt(others, time, right) is { } second
                && Reckon(sign, first, second) is var value
                && !double.IsNaN(value)
            )
            {
                points.Add(new MetricPoint(time, value));
            }
        }
        var shape = one is null || (other?.TagSet.Count > one.TagSet.Count) ? other! : one;
        return shape with { Points = points, Unit = UnitOf(sign, one, other) };
    }

    private static double? ValueAt(Dictionary<long, double> values, long time, Result side) =>
        values.TryGetValue(time, out var value) ? value
        : side.IsZeroWhereMissing ? 0
        : null;

    private static string? UnitOf(char sign, ResultSeries? one, ResultSeries? other) =>
        sign is '+' or '-' && (one is null || other is null || one.Unit == other.Unit) ? (one ?? other)!.Unit : null;

    private static double Reckon(char sign, double one, double other) =>
        sign switch
        {
            '+' => one + other,
            '-' => one - other,
            '*' => one * other,
            _ => other == 0 ? double.NaN : one / other,
        };
}
