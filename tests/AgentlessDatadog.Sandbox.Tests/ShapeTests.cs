using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class ShapeTests
{
    [Fact]
    public async Task TheThreeRoutesAnswerInTheirOwnWords()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostV1Async("")).Text.ShouldBe("""{"status":"ok"}""");
        (await sandbox.PostV2Async("")).Text.ShouldBe("""{"errors":[]}""");
        (await sandbox.PutSamplesAsync("a.dist", [1])).Text.ShouldBe("""{"status":"ok"}""");
    }

    [Fact]
    public async Task OneValueGoesInByEveryFormat()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var now = sandbox.Now;

        await sandbox.PostV1Async(
            $$"""{"metric":"v1","type":"gauge","host":"Web-1","tags":["a:b"],"points":[[{{now}}, 1.5]]}"""
        );
        await sandbox.PostV2Async(
            $$"""
            {"metric":"v2","type":3,"resources":[{"type":"host","name":"web-1"}],"tags":["a:b"],"unit":"second",
             "points":[{"timestamp":{{now}},"value":2.5}]}
            """
        );
        var protobuf = Protobuf.Payload(
            Protobuf.Series("proto", 3, [(3.5, now)], ["a:b"], host: "web-1", unit: "byte", interval: 10)
        );
        await sandbox.PostAsync("/api/v2/series", protobuf, "application/x-protobuf");

        (await sandbox.ValuesAsync("avg:v1{a:b} by {host}"))["host:web-1"].ShouldBe([1.5]);
        (await sandbox.ValuesAsync("avg:v2{a:b} by {host}"))["host:web-1"].ShouldBe([2.5]);
        (await sandbox.ValuesAsync("avg:proto{a:b} by {host}"))["host:web-1"].ShouldBe([3.5]);
        (await sandbox.GetAsync("/api/v1/metrics/proto")).Json.GetProperty("unit").GetString().ShouldBe("byte");
        (await sandbox.DroppedAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{}""", "payload.series: missing")]
    [InlineData("""[]""", "payload: must be an object")]
    [InlineData("""{"series":{}}""", "payload.series: must be a list")]
    [InlineData("""{"series":[{"points":[]}]}""", "series[0].metric: missing")]
    [InlineData("""{"series":[{"metric":"a"}]}""", "series[0].points: missing")]
    [InlineData("""{"series":[{"metric":"a","points":[],"type":"gauge"}]}""", "series[0].type: must be a whole number")]
    [InlineData("""{"series":[{"metric":"a","points":[],"type":4}]}""", "series[0].type: must be 0, 1 (count)")]
    [InlineData("""{"series":[{"metric":"a","points":[[1,2]]}]}""", "series[0].points[0]: must be an object")]
    [InlineData("""{"series":[{"metric":"a","points":[{"value":1}]}]}""", "series[0].points[0].timestamp: missing")]
    [InlineData(
        """{"series":[{"metric":"a","points":[{"timestamp":1.5,"value":1}]}]}""",
        "points[0].timestamp: must be"
    )]
    [InlineData("""{"series":[{"metric":"a","points":[{"timestamp":1,"value":"1"}]}]}""", "points[0].value: must be")]
    [InlineData(
        """{"series":[{"metric":"a","points":[],"tags":"b:c"}]}""",
        "series[0].tags: must be a list of strings"
    )]
    [InlineData("""{"series":[{"metric":"a","points":[],"tags":[1]}]}""", "series[0].tags[0]: must be a string")]
    [InlineData("""{"series":[{"metric":"\ud800","points":[]}]}""", "not valid Unicode")]
    [InlineData("""{"series":[{"metric":"a","points":[{"timestamp":1,"value":NaN}]}]}""", "Unable to parse the JSON")]
    [InlineData("""{"series":[]} x""", "Unable to parse the JSON")]
    public async Task AV2BodyOfTheWrongShapeIsRefusedByItsPlace(string body, string place)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync("/api/v2/series", body);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(place);
    }

    [Theory]
    [InlineData("""{"metric":"a","points":[[1,2]],"type":3}""", "series[0].type: must be a string")]
    [InlineData("""{"metric":"a","points":[[1,2]],"type":"distribution"}""", "series[0].type: must be count, rate")]
    [InlineData("""{"metric":"a","points":[{"timestamp":1,"value":2}]}""", "series[0].points[0]: must be a pair")]
    [InlineData("""{"metric":"a","points":[[1,2,3]]}""", "series[0].points[0]: must be a pair")]
    [InlineData("""{"metric":"a","points":[[1,[2]]]}""", "series[0].points[0]: must be a number")]
    [InlineData("""{"metric":"a","points":[["1",2]]}""", "series[0].points[0]: must be a number")]
    public async Task AV1SeriesOfTheWrongShapeIsRefusedByItsPlace(string series, string place)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostV1Async(series);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(place);
    }

    [Theory]
    [InlineData("""{"metric":"a","points":[[1,2]]}""", "must be a pair of a time and a list")]
    [InlineData("""{"metric":"a","points":[[1,["2"]]]}""", "must be a number")]
    [InlineData("""{"metric":"a","points":[],"type":"gauge"}""", "series[0].type: must be distribution")]
    public async Task ADistributionOfTheWrongShapeIsRefusedByItsPlace(string series, string place)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync("/api/v1/distribution_points", $$"""{"series":[{{series}}]}""");

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(place);
    }

    [Fact]
    public async Task OneSeriesOfTheWrongShapeLeavesNothingOfItsPayload()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var good = $$"""{"metric":"good","type":3,"points":[{"timestamp":{{sandbox.Now}},"value":1}]}""";

        (await sandbox.PostV2Async(good + """,{"metric":"bad"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);

        (await sandbox.ValueAsync("avg:good{*}")).ShouldBeNull();
    }

    [Fact]
    public async Task ATypeOutsideTheEnumIsRefusedInProtobufToo()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var body = Protobuf.Payload(Protobuf.Series("a", 7, [(1, sandbox.Now)]));

        (await sandbox.PostAsync("/api/v2/series", body, "application/x-protobuf")).Error.ShouldContain(
            "series[0].type"
        );
    }

    [Fact]
    public async Task APathThatDatadogDoesNotHaveIsNotFound()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostAsync("/api/v3/series", "{}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }
}
