using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Tests.Support;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Pipeline;

public sealed class SeriesTests
{
    private readonly SeriesTable _table = new(new FakeTimeProvider());

    [Fact]
    public async Task SumInEqualsSumOutWhileCutsRace()
    {
        const int threads = 4;
        const int adds = 100_000;
        var counter = (Counter)_table.Hold("app.made", MetricType.Count, [], null);
        var aggregate = new Aggregate(_table);
        var adding = Task.WhenAll(
            Enumerable
                .Range(0, threads)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < adds; i++)
                        {
                            counter.Add();
                        }
                    })
                )
        );
        var sum = 0.0;
        var second = 1;
        var done = false;
        while (!done)
        {
            done = adding.IsCompleted;
            var snapshot = aggregate.Take(second++, 1);
            // Every third cut cannot be kept.
            if (second % 3 == 0)
            {
                aggregate.Restore(snapshot);
            }
            else if (counter.HasTaken)
            {
                sum += counter.TakenValue;
            }
        }
        aggregate.Take(second, 1);
        sum += counter.HasTaken ? counter.TakenValue : 0;
        sum.ShouldBe(threads * adds);
        await adding;
    }

    [Fact]
    public void AGaugeIsTakenOnceAndTheLastValueWins()
    {
        var gauge = (Gauge)_table.Hold("app.level", MetricType.Gauge, [], null);
        gauge.Set(1);
        gauge.Set(2);
        gauge.Take().ShouldBeTrue();
        gauge.TakenValue.ShouldBe(2);
        gauge.Take().ShouldBeFalse();
    }

    [Fact]
    public void AValueThatIsNotFiniteIsIgnored()
    {
        var gauge = (Gauge)_table.Hold("app.level", MetricType.Gauge, [], null);
        var counter = (Counter)_table.Hold("app.made", MetricType.Count, [], null);
        gauge.Set(double.NaN);
        gauge.Set(double.PositiveInfinity);
        counter.Add(double.NaN);
        gauge.HasLive.ShouldBeFalse();
        counter.HasLive.ShouldBeFalse();
        counter.Add(double.MaxValue);
        counter.Add(double.MaxValue);
        counter.Take();
        double.IsFinite(counter.TakenValue).ShouldBeTrue();
    }

    [Fact]
    public void ANewerGaugeSurvivesAnOlderCutThatComesBack()
    {
        var gauge = (Gauge)_table.Hold("app.level", MetricType.Gauge, [], null);
        gauge.Set(1);
        gauge.Take();
        gauge.Set(2);
        gauge.Restore();
        gauge.Take();
        gauge.TakenValue.ShouldBe(2);
    }

    [Fact]
    public void TheSameNameAndTagsAreTheSameSeriesWhoeverAsks()
    {
        var held = _table.Hold("app.made", MetricType.Count, ["b:2", "a:1"], null);
        _table.Named("app.made", MetricType.Count, ["A:1", "b:2", "a:1"], null).ShouldBeSameAs(held);
        _table.Hold("app.made", MetricType.Count, ["a:1"], null).ShouldNotBeSameAs(held);
        _table.Count.ShouldBe(2);
    }

    [Fact]
    public void AReleasedSeriesGoesAfterTheNextCutAndNotBeforeItsLastValue()
    {
        var first = _table.Hold("app.level", MetricType.Gauge, [], null);
        var second = _table.Hold("app.level", MetricType.Gauge, [], null);
        first.Dispose();
        _table.ReleaseIdle(10);
        _table.Count.ShouldBe(1);

        ((Gauge)second).Set(1);
        second.Dispose();
        _table.ReleaseIdle(10);
        _table.Count.ShouldBe(1);

        second.Take();
        _table.ReleaseIdle(10);
        _table.Count.ShouldBe(0);
    }

    [Fact]
    public void ANamedSeriesGoesAfterAnIdleHour()
    {
        var clock = new FakeTimeProvider();
        var table = new SeriesTable(clock);
        table.Named("app.made", MetricType.Count, [], null);
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        table.ReleaseIdle(now + 3599);
        table.Count.ShouldBe(1);
        table.ReleaseIdle(now + 3600);
        table.Count.ShouldBe(0);
        table.CountByMetric().ShouldBeEmpty();
    }

    [Property(MaxTest = 50)]
    public void WithOneGlobalTagNoSeriesCarriesAnothersTags(int seed)
    {
        var random = new Random(seed);
        var table = new SeriesTable(new FakeTimeProvider());
        table.UseGlobalTags(["env:test"]);
        var expected = new HashSet<string>();
        for (var i = 0; i < 200; i++)
        {
            string[] tags = [$"user:u{random.Next(20)}", $"session:s{random.Next(20)}"];
            ((Counter)table.Hold("app.made", MetricType.Count, tags, null)).Add();
            expected.Add($"app.made {string.Join(',', tags.Append("env:test").Order(StringComparer.Ordinal))}");
        }
        var series = Snapshots.Encode(new Aggregate(table).Take(100, 10));
        series.Select(one => one.Key).ShouldBe(expected, ignoreOrder: true);
    }

    [Fact]
    public void SeriesThatDifferInAGlobalTagOnlyAreOne()
    {
        _table.UseGlobalTags(["env:test"]);
        var with = (Counter)_table.Hold("app.made", MetricType.Count, ["env:test", "user:a"], null);
        var without = (Counter)_table.Hold("app.made", MetricType.Count, ["user:a"], null);
        with.Add(2);
        without.Add(3);
        var series = Snapshots.Encode(new Aggregate(_table).Take(100, 10)).ShouldHaveSingleItem();
        series.Tags.ShouldBe(["user:a", "env:test"]);
        series.Points.ShouldBe([new ReadPoint(5, 100)]);
        _table.Count.ShouldBe(1);
    }

    [Fact]
    public void AGlobalTagThatComesAndGoesJoinsAndPartsSeries()
    {
        var with = (Counter)_table.Hold("app.made", MetricType.Count, ["env:test"], null);
        var without = (Counter)_table.Hold("app.made", MetricType.Count, [], null);
        var aggregate = new Aggregate(_table);

        _table.UseGlobalTags(["env:test"]);
        with.Add();
        without.Add();
        Snapshots
            .Encode(aggregate.Take(100, 10))
            .Select(s => (s.Key, s.Points[0].Value))
            .ShouldBe([("app.made env:test", 2)]);
        _table.ReleaseIdle(100);

        _table.UseGlobalTags([]);
        with.Add();
        without.Add();
        Snapshots
            .Encode(aggregate.Take(101, 10))
            .Select(s => (s.Key, s.Points[0].Value))
            .ShouldBe([("app.made env:test", 1), ("app.made ", 1)], ignoreOrder: true);
        _table.Count.ShouldBe(2);
    }

    [Fact]
    public void AnAliasKeepsItsTargetAlive()
    {
        _table.UseGlobalTags(["env:test"]);
        var alias = (Counter)_table.Hold("app.made", MetricType.Count, ["env:test"], null);
        _table.ReleaseIdle(10_000);
        alias.Add();
        Snapshots.Encode(new Aggregate(_table).Take(10_001, 10)).ShouldHaveSingleItem();
        alias.Dispose();
        _table.ReleaseIdle(10_002);
        _table.ReleaseIdle(10_003);
        _table.Count.ShouldBe(0);
    }
}
