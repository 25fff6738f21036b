using AgentlessDatadog.Sandbox.Assets;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;
using AgentlessDatadog.Sandbox.Store;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>The engine beside an evaluation so plain that it can be read off the rules.</summary>
public sealed class QueryPropertyTests
{
    private const long Start = 1_772_366_400;
    private const int Span = 400;

    private static readonly string[] Users = ["user:ana", "user:bert", "user:abel"];
    private static readonly string[] Templates = ["template:a", "template:b"];
    private static readonly string[] Prefixes = ["avg", "sum", "min", "max", "count"];

    private static readonly (string Text, Func<Point, bool> Holds)[] Scopes =
    [
        ("*", _ => true),
        ("user:ana", point => point.User == "user:ana"),
        ("user:a*,!template:b", point => point.User[5] == 'a' && point.Template != "template:b"),
        ("template:b OR NOT user:bert", point => point.Template == "template:b" || point.User != "user:bert"),
    ];

    private sealed record Point(string User, string Template, long Time, double Value);

    [Property(MaxTest = 300)]
    public void TheEngineAgreesWithANaiveEvaluation(
        (byte User, byte Template, ushort Time, sbyte Value)[] raw,
        byte type,
        byte prefix,
        byte scope,
        byte rollup,
        bool isGrouped
    )
    {
        var sent = raw.Select(one => new Point(
                Users[one.User % Users.Length],
                Templates[one.Template % Templates.Length],
                Start + (one.Time % Span),
                one.Value
            ))
            .ToList();
        var metricType = (IntakeMetricType)(1 + (type % 4));
        var space = Prefixes[prefix % Prefixes.Length];
        var (scopeText, holds) = Scopes[scope % Scopes.Length];
        var interval = new[] { 1, 7, 60, 1_000 }[rollup % 4];
        var query = $"{space}:m{{{scopeText}}}{(isGrouped ? " by {user}" : "")}.rollup({interval})";

        var answer = QueryEngine.Run(
            StoreOf(sent, metricType),
            new AssetStore("tag configurations", 0, 0),
            engine => engine.Evaluate(ExpressionParser.Parse(query), new QueryWindow(Start, Start + Span))
        );

        var actual = answer.Series.SelectMany(series =>
            series.Points.Select(point => (string.Join(',', series.TagSet), point.Time, Math.Round(point.Value, 6)))
        );
        actual.Order().ShouldBe(Naive(sent.Where(holds), metricType, space, interval, isGrouped).Order());
    }

    private static MetricStore StoreOf(List<Point> points, IntakeMetricType type)
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(Start + Span));
        var limits = new StoreLimits();
        var store = new MetricStore(limits, TimeSpan.FromHours(4), new DropList(limits.Dropped), time);
        store.Apply([
            .. points.Select(point => new IncomingSeries(
                "m",
                type,
                0,
                "",
                [point.User, point.Template],
                [new MetricPoint(point.Time, point.Value)]
            )),
        ]);
        return store;
    }

    private static IEnumerable<(string Group, long Bucket, double Value)> Naive(
        IEnumerable<Point> points,
        IntakeMetricType type,
        string space,
        int interval,
        bool isGrouped
    )
    {
        var isDistribution = type == IntakeMetricType.Distribution;
        var overTime = type == IntakeMetricType.Count ? "sum" : "avg";
        var kept = isDistribution
            ? points
            : points.GroupBy(point => (point.User, point.Template, point.Time)).Select(same => same.Last());
        foreach (var cell in kept.GroupBy(p => (Group: isGrouped ? p.User : "", Bucket: p.Time / interval * interval)))
        {
            var values = isDistribution
                ? cell.Select(point => point.Value)
                : cell.GroupBy(point => (point.User, point.Template))
                    .Select(series => Aggregate(overTime, series.Select(point => point.Value)));
            yield return (cell.Key.Group, cell.Key.Bucket, Math.Round(Aggregate(space, values), 6));
        }
    }

    private static double Aggregate(string how, IEnumerable<double> values) =>
        how switch
        {
            "sum" => values.Sum(),
            "min" => values.Min(),
            "max" => values.Max(),
            "count" => values.Count(),
            _ => values.Average(),
        };
}
