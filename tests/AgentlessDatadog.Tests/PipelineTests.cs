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
            ("/api/v2/series", "application/x-protobuf", "zstd", Rig.Key)
        );
        rig.FarEnd.Check.Faults.ShouldBeEmpty();
    }
}
