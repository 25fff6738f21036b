using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Pipeline;

public sealed class TimedPointTests
{
    private readonly SeriesTable _table = new(new FakeTimeProvider());
    private readonly Aggregate _aggregate;

    public TimedPointTests() => _aggregate = new Aggregate(_table);

    [Fact]
    public void AGaugeWithATimestampIsAPointOfItsOwn()
    {
        Keep(At(95), 1).ShouldBeNull();
        Keep(At(90), 2).ShouldBeNull();
        Keep(null, 3).ShouldBeNull();
        Points(100).ShouldBe([new ReadPoint(3, 100), new ReadPoint(2, 90), new ReadPoint(1, 95)]);
    }

    [Fact]
    public void TheLastOfTwoAtOneSecondWins()
    {
        Keep(At(95), 1);
        Keep(At(95), 2);
        Points(100).ShouldBe([new ReadPoint(2, 95)]);
    }

    [Fact]
    public void ASecondThatWasSentIsNotSentAgain()
    {
        Keep(At(95), 1);
        Points(100);
        Keep(At(95), 2).ShouldNotBeNull().ShouldContain("already");
        Keep(null, 3);
        Points(101);
        Keep(At(101), 4).ShouldNotBeNull().ShouldContain("already");
    }

    [Fact]
    public void ASecondOfACutIsFreeForASeriesWithoutAPointThere()
    {
        Points(100);
        Keep(At(100), 1).ShouldBeNull();
    }

    [Fact]
    public void ATimestampAtTheCutMeetsTheLiveValue()
    {
        Keep(At(100), 1);
        Keep(null, 2);
        Points(100).ShouldBe([new ReadPoint(2, 100)]);
    }

    [Fact]
    public void ALiveValueWaitsWhenItsSecondWasUsedBeforehand()
    {
        Keep(At(110), 1);
        Points(100).ShouldBe([new ReadPoint(1, 110)]);
        Keep(null, 2);
        Points(110).ShouldBeEmpty();
        Points(111).ShouldBe([new ReadPoint(2, 111)]);
    }

    [Fact]
    public void ACutThatComesBackFreesItsSeconds()
    {
        Keep(At(95), 1);
        Keep(null, 2);
        _aggregate.Restore(_aggregate.Take(100, 10));
        Points(100).ShouldBe([new ReadPoint(2, 100), new ReadPoint(1, 95)]);
    }

    private static DateTimeOffset At(long second) => DateTimeOffset.FromUnixTimeSeconds(second);

    private string? Keep(DateTimeOffset? at, double value)
    {
        var measurement = Some.Gauge(value: value) with { Timestamp = at };
        var fault = _aggregate.Find(measurement, out var series);
        if (fault is null)
        {
            _aggregate.Apply(series!, measurement);
        }

        return fault;
    }

    private IEnumerable<ReadPoint> Points(long second) =>
        Snapshots.Encode(_aggregate.Take(second, 10)).SelectMany(series => series.Points);
}
