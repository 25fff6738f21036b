using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Metrics;
using AgentlessDatadog.Tests.Support;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals.Metrics;

public sealed class SeriesEncoderTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Property(MaxTest = 12)]
    public void NoRequestPassesALimitAndNothingIsLost(int seed, bool zlib)
    {
        var random = new Random(seed);
        var snapshot = RandomSnapshot(random, series: random.Next(1, 12_000), noise: random.Next(0, 100));
        var requests = Snapshots.Requests(snapshot, zlib ? "deflate" : "zstd");
        Verify(snapshot, requests);
    }

    [Theory]
    [InlineData("zstd", 0)]
    [InlineData("zstd", 100)]
    [InlineData("deflate", 0)]
    [InlineData("deflate", 100)]
    public void ManySeriesFillTheirRequests(string encoding, int noise)
    {
        var snapshot = RandomSnapshot(new Random(1), series: noise == 0 ? 90_000 : 25_000, noise);
        var requests = Snapshots.Requests(snapshot, encoding);
        Verify(snapshot, requests);
        requests.Count.ShouldBeGreaterThan(1);
        foreach (var request in requests.SkipLast(1))
        {
            var raw = PayloadCheck.Unpack(request.Encoding, request.Body).Length;
            Math.Max(request.Body.Length / 512_000.0, raw / 5_242_880.0).ShouldBeGreaterThan(0.9);
        }
    }

    [Fact]
    public void TheLargestSeriesThereCanBeFits()
    {
        var table = new SeriesTable(new FakeTimeProvider());
        table.UseGlobalTags(LargestTags('g'));
        for (var i = 0; i < 100; i++)
        {
            var name = $"m{i}".PadRight(200, 'x');
            ((Gauge)table.Hold(name, MetricType.Gauge, LargestTags('t'), new string('u', 50))).Set(i);
        }
        var snapshot = new Aggregate(table).Take(Now.ToUnixTimeSeconds(), 10);
        foreach (var encoding in Lane.Metrics.Encodings)
        {
            Verify(snapshot, Snapshots.Requests(snapshot, encoding));
        }
    }

    [Fact]
    public void PointsFarApartInTimeDoNotShareARequest()
    {
        var table = new SeriesTable(new FakeTimeProvider());
        var aggregate = new Aggregate(table);
        foreach (var age in new[] { 3500, 3400, 1000, 0 })
        {
            var measurement = Some.Gauge() with { Timestamp = Now.AddSeconds(-age) };
            aggregate.Find(measurement, out var series);
            aggregate.Apply(series!, measurement);
        }
        var requests = Snapshots.Requests(aggregate.Take(Now.ToUnixTimeSeconds(), 10), "zstd");
        requests.Select(r => r.Points).ShouldBe([2, 1, 1]);
        requests.Select(r => Now.ToUnixTimeSeconds() - r.Oldest).ShouldBe([3500, 1000, 0]);
    }

    [Fact]
    public void EveryTypeHasItsNumberAndOnlyCountsAndRatesAnInterval()
    {
        var table = new SeriesTable(new FakeTimeProvider());
        table.Hold("a", MetricType.Gauge, [], "second").Put(1);
        table.Hold("b", MetricType.Count, [], null).Put(2);
        table.Hold("c", MetricType.Rate, [], null).Put(3);
        Snapshots
            .Encode(new Aggregate(table).Take(100, 60))
            .Select(s => (s.Metric, s.Type, s.Unit, s.Interval))
            .ShouldBe([("a", 3, "second", 0), ("b", 1, null, 60), ("c", 2, null, 60)]);
    }

    private static string[] LargestTags(char first) =>
        [.. Enumerable.Range(0, 100).Select(i => $"{first}{i:000}".PadRight(200, 'ﷲ'))];

    private static FlushSnapshot RandomSnapshot(Random random, int series, int noise)
    {
        var table = new SeriesTable(new FakeTimeProvider());
        table.UseGlobalTags(["env:test", "service:app"]);
        for (var i = 0; i < series; i++)
        {
            var tags = Enumerable.Range(0, random.Next(4)).Select(_ => $"t:{Text(random, random.Next(noise + 1))}");
            var gauge = (Gauge)table.Hold("app.level", MetricType.Gauge, [$"id:{i}", .. tags], null);
            gauge.Set(noise > 50 ? random.NextDouble() : i % 10);
        }
        return new Aggregate(table).Take(Now.ToUnixTimeSeconds(), 10);
    }

    // Two random characters of 64 hardly compress.
    private static string Text(Random random, int length) =>
        string.Create(
            length,
            random,
            (to, from) => from.GetItems("abcdefghijklmnopqrstuvwxyz0123456789-_./".AsSpan(), to)
        );

    private static void Verify(FlushSnapshot snapshot, List<EncodedRequest> requests)
    {
        var check = new PayloadCheck();
        var read = new List<ReadSeries>();
        foreach (var request in requests)
        {
            check.Look("/api/v2/series", request.Encoding, request.Body, Now);
            read.AddRange(WireReader.ReadPayload(PayloadCheck.Unpack(request.Encoding, request.Body)));
        }
        check.Errors.ShouldBeEmpty();
        var taken = snapshot.Series.ToArray().Where(series => series.HasTaken).ToList();
        read.Select(series => series.Points[0].Value).ShouldBe(taken.Select(series => series.TakenValue));
        requests.Sum(request => request.Points).ShouldBe(taken.Count);
        requests.Sum(request => request.Units).ShouldBe(taken.Count);
    }
}
