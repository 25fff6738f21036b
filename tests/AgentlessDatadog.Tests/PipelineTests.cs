using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

public sealed class PipelineTests
{
    [Fact]
    public async Task WhatIsKeptArrivesWithItsNameTypeUnitAndTags()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["env:test"] });
        using var gauge = rig.Pipeline.Gauge("app.size", ["user:ann"], "byte");
        gauge.Set(42);
        await rig.KeepAsync(Some.Count("app.made", 2, "user:Ann B"), Some.Count("app.made", 3, "user:Ann B"));

        await rig.FlushAsync();
        await rig.UntilSent();

        var second = rig.Clock.GetUtcNow().ToUnixTimeSeconds();
        var series = rig.FarEnd.Series.ToDictionary(s => s.Metric);
        series["app.size"].Tags.ShouldBe(["user:ann", "env:test"]);
        series["app.size"].Points.ShouldBe([new ReadPoint(42, second)]);
        series["app.size"].Type.ShouldBe(3);
        series["app.size"].Unit.ShouldBe("byte");
        series["app.made"].Tags.ShouldBe(["user:ann_b", "env:test"]);
        series["app.made"].Points.ShouldBe([new ReadPoint(5, second)]);
        series["app.made"].Type.ShouldBe(1);
        series["app.made"].Interval.ShouldBe(1);
        var request = rig.FarEnd.Requests.Single();
        (request.Path, request.ContentType, request.Encoding, request.Key).ShouldBe(
            ("/api/v2/series", "application/x-protobuf", "zstd", Secret.ApiKey)
        );
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task AHandleAndAMeasurementMeetInOneSeries()
    {
        await using var rig = await Rig.StartAsync();
        using var counter = rig.Pipeline.Counter("app.made", ["user:ann"]);
        counter.Add(2);
        await rig.KeepAsync(Some.Count("app.made", 3, "user:ann"));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldHaveSingleItem().Points[0].Value.ShouldBe(5);
    }

    [Fact]
    public async Task TheIntervalFlushesAndLooksJustBeforeEachCut()
    {
        await using var rig = await Rig.StartAsync();
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        var looks = new List<long>();
        rig.Pipeline.ObserveGauges(second =>
        {
            looks.Add(second.ToUnixTimeSeconds());
            gauge.Set(looks.Count);
        });
        rig.Pipeline.ObserveGauges(_ => throw new InvalidOperationException("no business of the others"));
        for (var i = 1; i <= 3; i++)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
            await rig.Until(() => rig.FarEnd.Requests.Count == i);
        }
        rig.FarEnd.Series.Select(s => s.Points.Single()).ShouldBe(looks.Select((s, i) => new ReadPoint(i + 1, s)));
        looks.ShouldBe([looks[0], looks[0] + 10, looks[0] + 20]);
    }

    [Fact]
    public async Task ACountsIntervalIsTheTimeSinceTheCutBefore()
    {
        await using var rig = await Rig.StartAsync();
        foreach (var seconds in new[] { 7, 3 })
        {
            await rig.KeepAsync(Some.Count());
            rig.Clock.Advance(TimeSpan.FromSeconds(seconds));
            await rig.FlushNowAsync();
        }
        await rig.UntilSent();
        rig.FarEnd.Series.OrderBy(s => s.Points[0].Second).Select(s => s.Interval).ShouldBe([7, 3]);
    }

    [Fact]
    public async Task ACallWithAKeyCountsOnceAlsoAfterARestart()
    {
        await using var rig = await Rig.StartAsync();
        var calls = Enumerable
            .Range(0, 4)
            .Select(_ => Task.Run(() => rig.KeepOnceAsync("call", Some.Count()).AsTask()));
        await Task.WhenAll(calls);
        await rig.RestartAsync();
        await rig.KeepOnceAsync("call", Some.Count());
        await rig.KeepOnceAsync("another", Some.Count("app.other"));
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.FarEnd.Series.Where(s => s.Metric == "app.made").Sum(s => s.Points[0].Value).ShouldBe(1);
        rig.FarEnd.Series.ShouldContain(s => s.Metric == "app.other");
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 2);
    }

    [Fact]
    public async Task AKeyIsForgottenAfter48Hours()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepOnceAsync("call", Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Clock.Advance(TimeSpan.FromHours(47));
        await rig.KeepOnceAsync("call", Some.Count());
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        rig.Ledger(Lane.Metrics).Accepted.ShouldBe(2);
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.KeepOnceAsync("call", Some.Count());
        rig.Ledger(Lane.Metrics).Accepted.ShouldBe(4);
    }

    [Fact]
    public async Task ABadMeasurementIsRejectedWithAReasonAndTakesNoneWithIt()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepAsync(
            Some.Count(),
            Some.Count("1bad"),
            Some.Gauge(value: double.NaN),
            Some.Gauge("app.made"),
            Some.Gauge()
        );
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Metrics).ShouldBe(5, delivered: 2, rejected: 3);
        rig.Ledger(Lane.Metrics).Reasons.Count.ShouldBe(3);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ALiveChangeLeavesNeitherAGapNorADoublePoint()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["env:a"] });
        var made = 0;
        for (var i = 0; i < 10; i++)
        {
            await rig.KeepAsync(Some.Count(value: ++made));
            rig.Clock.Advance(TimeSpan.FromSeconds(3));
            await rig.ConfigureAsync(
                rig.Options with
                {
                    Tags = [i % 2 == 0 ? "env:b" : "env:a"],
                    FlushInterval = TimeSpan.FromSeconds(10 + i),
                }
            );
        }
        await rig.FlushAsync();
        // The clock may have been quicker than a request, which then waits for its next try whatever else changes.
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.FarEnd.Series.Sum(s => s.Points[0].Value).ShouldBe(Enumerable.Range(1, 10).Sum());
        rig.FarEnd.Series.Select(s => s.Tags.Single()).Distinct().ShouldBe(["env:a", "env:b"], ignoreOrder: true);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task OptionsThatCannotBeUsedChangeNothing()
    {
        await using var rig = await Rig.StartAsync();
        var bad = rig.Options with { ApiKey = "a\nb" };
        var error = await Should.ThrowAsync<ArgumentException>(async () => await rig.ConfigureAsync(bad));
        error.Message.ShouldNotContain("a\nb");
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
    }

    [Fact]
    public async Task MetricsThatAreOffAreNotBuffered()
    {
        await using var rig = await Rig.StartAsync(o => o with { Metrics = false });
        using var gauge = rig.Pipeline.Gauge("app.level", []);
        gauge.Set(1);
        await rig.KeepAsync([Some.Count()], [new("Told", "", rig.Clock.GetUtcNow())]);
        await rig.FlushAsync();
        await rig.ConfigureAsync(rig.Options with { Metrics = true });
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Requests.ShouldHaveSingleItem().Path.ShouldBe("/api/v1/events");
        rig.Ledger(Lane.Metrics).Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task EventsBeyond60AMinuteOfAKindBecomeOneSummary()
    {
        await using var rig = await Rig.StartAsync();
        var now = rig.Clock.GetUtcNow();
        var storm = Enumerable.Range(0, 100).Select(i => new DatadogEvent($"Made {i}", "", now) { Kind = "made" });
        var others = Enumerable.Range(0, 70).Select(i => new DatadogEvent($"Free {i}", "", now));
        await rig.KeepAsync([.. storm, .. others]);
        await rig.UntilSent();
        rig.FarEnd.Requests.Count.ShouldBe(130);

        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await rig.FlushNowAsync();
        await rig.UntilSent();
        await rig.FlushAsync();
        await rig.UntilSent();
        var summary = System.Text.Encoding.UTF8.GetString(rig.FarEnd.Requests[^1].Body);
        rig.FarEnd.Requests.Count.ShouldBe(131);
        summary.ShouldContain("40 more events: made");
        rig.Ledger(Lane.Events).ShouldBe(171, delivered: 131, overflowed: 40);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ACutComesEarlyWhereMuchHasArrivedSinceTheLast()
    {
        await using var rig = await Rig.StartAsync();
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await rig.KeepAsync([.. Enumerable.Repeat(Some.Count(), 199_999)]);
        await rig.KeepAsync(new DatadogEvent("Told", "", rig.Clock.GetUtcNow()));
        await rig.UntilSent();
        rig.FarEnd.Series.ShouldBeEmpty();
        await rig.KeepAsync(Some.Count());
        await rig.Until(() => rig.FarEnd.Series.Any());
        rig.FarEnd.Series.Single().Points[0].Value.ShouldBe(200_000);
    }

    [Fact]
    public async Task ACutWithinTheMinuteBeginsNoNewAllowanceOfEvents()
    {
        await using var rig = await Rig.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            await rig.KeepAsync([
                .. Enumerable
                    .Range(0, 40)
                    .Select(_ => new DatadogEvent("Made", "", rig.Clock.GetUtcNow()) { Kind = "made" }),
            ]);
            await rig.FlushAsync();
        }
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(80, delivered: 60, queued: 20);
    }

    [Fact]
    public async Task SelfMetricsAreSentAndAreNoPartOfTheLedger()
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                SelfMetrics = new SelfMetrics("app.datadog.", ["instance:i1"]),
            }
        );
        await rig.KeepAsync(Some.Count(), Some.Count("1bad"));
        await rig.FlushAsync();
        await rig.UntilSent();
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Metrics).ShouldBe(2, delivered: 1, rejected: 1);
        double Sum(string name, params string[] tags) =>
            rig
                .FarEnd.Series.Where(s => s.Metric == $"app.datadog.{name}" && tags.All(s.Tags.Contains))
                .Sum(s => s.Points[0].Value);
        Sum("accepted", "lane:metrics", "instance:i1").ShouldBe(2);
        Sum("rejected", "lane:metrics").ShouldBe(1);
        Sum("delivered", "lane:metrics").ShouldBe(1);
        Sum("requests", "lane:metrics", "status:202").ShouldBe(1);
        rig.FarEnd.Series.ShouldContain(s => s.Metric == "app.datadog.queue.age");
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task DistributionsTravelOnTheirOwnLane()
    {
        await using var rig = await Rig.StartAsync();
        await rig.KeepAsync(Some.Distribution(value: 1), Some.Distribution(value: 2));
        await rig.FlushAsync();
        await rig.UntilSent();
        var request = rig.FarEnd.Requests.ShouldHaveSingleItem();
        (request.Path, request.Encoding).ShouldBe(("/api/v1/distribution_points", "deflate"));
        PayloadCheck.ReadDistributions(request.Raw).Single().Points.Select(p => p.Value).ShouldBe([1, 2]);
        rig.Ledger(Lane.Distributions).ShouldBe(2, delivered: 2);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }
}
