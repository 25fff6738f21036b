using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals.Metrics;

public sealed class MeasurementRulesTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly TelemetryPipeline _pipeline;

    public MeasurementRulesTests() =>
        _pipeline = new TelemetryPipeline(
            new MemoryStore(),
            new TelemetryOptions(),
            _clock,
            () => 0,
            new SearchedLog()
        );

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("1app")]
    [InlineData("app made")]
    [InlineData("app-made")]
    [InlineData("äpp")]
    [InlineData("app\n")]
    public void ABadNameIsNamed(string name) =>
        _pipeline.Check(Some.Count(name)).ShouldNotBeNull().ShouldContain("metric");

    [Fact]
    public void ANameMayHave200Characters()
    {
        _pipeline.Check(Some.Count(new string('a', 200))).ShouldBeNull();
        _pipeline.Check(Some.Count(new string('a', 201))).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void AValueMustBeFinite(double value) =>
        _pipeline.Check(Some.Gauge(value: value)).ShouldNotBeNull().ShouldContain("value");

    [Theory]
    [InlineData(-3600, true)]
    [InlineData(-3601, false)]
    [InlineData(600, true)]
    [InlineData(601, false)]
    public void ATimestampMustBeWhereDatadogTakesIt(int seconds, bool isGood)
    {
        var at = _clock.GetUtcNow().AddSeconds(seconds);
        (_pipeline.Check(Some.Gauge() with { Timestamp = at }) is null).ShouldBe(isGood);
        (_pipeline.Check(Some.Distribution() with { Timestamp = at }) is null).ShouldBe(isGood);
    }

    [Fact]
    public void ACountHasNoTimestamp()
    {
        var now = _clock.GetUtcNow();
        _pipeline.Check(Some.Count() with { Timestamp = now }).ShouldNotBeNull();
        _pipeline.Check(new Measurement("app.rate", MetricType.Rate, 1, []) { Timestamp = now }).ShouldNotBeNull();
    }

    [Fact]
    public void TagsAreJudgedOneByOne()
    {
        _pipeline.Check(Some.Count(tags: ["a:b", ""])).ShouldBe("tag 1 is empty");
        _pipeline.Check(Some.Count(tags: ["1a"])).ShouldBe("tag 0 does not begin with a letter");
        _pipeline.Check(Some.Count(tags: [new string('a', 201)])).ShouldNotBeNull().ShouldContain("201");
        _pipeline.Check(Some.Count(tags: [new string('a', 200)])).ShouldBeNull();
        _pipeline.Check(Some.Count(tags: [.. Enumerable.Range(0, 101).Select(i => $"t{i}")])).ShouldNotBeNull();
    }

    [Fact]
    public void ANameKeepsItsType()
    {
        using var gauge = _pipeline.Gauge("app.level", []);
        _pipeline.Check(Some.Gauge()).ShouldBeNull();
        _pipeline
            .Check(Some.Count("app.level"))
            .ShouldBe("app.level is a gauge since 2026-11-24T08:00:00Z, it cannot also be a count");
        Should.Throw<ArgumentException>(() => _pipeline.Counter("app.level", [])).Message.ShouldContain("is a gauge");
    }

    [Fact]
    public void AnUnknownTypeOrUnitIsNamed()
    {
        _pipeline.Check(new Measurement("a", (MetricType)9, 1, [])).ShouldNotBeNull().ShouldContain("type");
        _pipeline.Check(Some.Gauge() with { Unit = "%" }).ShouldNotBeNull().ShouldContain("unit");
        _pipeline.Check(Some.Gauge() with { Unit = "percent" }).ShouldBeNull();
    }
}
