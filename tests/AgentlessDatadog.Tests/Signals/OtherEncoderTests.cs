using System.Text.Json;
using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Distributions;
using AgentlessDatadog.Signals.Events;
using AgentlessDatadog.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals;

public sealed class OtherEncoderTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void EveryDistributionValueIsSentOnceWithinTheLimits()
    {
        var table = new SeriesTable(new FakeTimeProvider());
        table.UseGlobalTags(["env:test"]);
        var aggregate = new Aggregate(table);
        var random = new Random(1);
        var values = Enumerable.Range(0, 150_000).Select(_ => random.NextDouble()).ToList();
        for (var i = 0; i < values.Count; i++)
        {
            Apply(aggregate, Some.Distribution(value: values[i], tags: [$"template:t{i % 3}"]));
        }

        var encoder = new DistributionEncoder(aggregate.Take(Now.ToUnixTimeSeconds(), 10));
        var requests = encoder.Encode();

        var check = new PayloadCheck();
        foreach (var request in requests)
        {
            check.Look("/api/v1/distribution_points", request.Encoding, request.Body, Now);
        }

        check.Errors.ShouldBeEmpty();
        requests.Count.ShouldBeGreaterThan(1);
        requests.Sum(request => request.Units).ShouldBe(values.Count);
        encoder.NewUnits.ShouldBe(0);
        var read = requests
            .SelectMany(r => PayloadCheck.ReadDistributions(PayloadCheck.Unpack(r.Encoding, r.Body)))
            .ToList();
        read.SelectMany(series => series.Points).Select(p => p.Value).Order().ShouldBe(values.Order());
        read.Select(series => series.Key).Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public void LateDistributionValuesTravelApart()
    {
        var aggregate = new Aggregate(new SeriesTable(new FakeTimeProvider()));
        foreach (var age in new[] { 0, 3500, 10, 3499 })
        {
            Apply(aggregate, Some.Distribution(value: age) with { Timestamp = Now.AddSeconds(-age) });
        }

        var requests = new DistributionEncoder(aggregate.Take(Now.ToUnixTimeSeconds(), 10)).Encode();
        requests.Select(r => Now.ToUnixTimeSeconds() - r.Oldest).ShouldBe([10, 3500]);
    }

    [Fact]
    public void AnEventHasDatadogsFieldsAndLengths()
    {
        var what = new DatadogEvent("Made", new string('x', 3999) + "😀", Now)
        {
            Tags = ["user:Ann", "env:test"],
            Alert = AlertType.Warning,
            LowPriority = true,
            AggregationKey = new string('k', 150),
            SourceType = "streamspace",
            Kind = "made",
        };
        var body = EventEncoder.Encode(what, ["env:test"]);
        var check = new PayloadCheck();
        check.Look("/api/v1/events", null, body, Now);
        check.Errors.ShouldBeEmpty();
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        root.GetProperty("text").GetString().ShouldBe(new string('x', 3999));
        root.GetProperty("aggregation_key").GetString()!.Length.ShouldBe(100);
        root.GetProperty("alert_type").GetString().ShouldBe("warning");
        root.GetProperty("priority").GetString().ShouldBe("low");
        root.GetProperty("date_happened").GetInt64().ShouldBe(Now.ToUnixTimeSeconds());
        root.GetProperty("source_type_name").GetString().ShouldBe("streamspace");
        root.GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["env:test", "user:ann"]);
    }

    private static void Apply(Aggregate aggregate, Measurement measurement)
    {
        aggregate.Find(measurement, out var series).ShouldBeNull();
        aggregate.Apply(series!, measurement);
    }
}
