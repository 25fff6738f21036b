using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class QueryTests
{
    private const int Count = 1;
    private const int Rate = 2;
    private const int Gauge = 3;

    [Theory]
    [InlineData("avg", 20)]
    [InlineData("sum", 60)]
    [InlineData("min", 10)]
    [InlineData("max", 30)]
    [InlineData("count", 3)]
    public async Task ThePrefixSaysHowSeriesBecomeOne(string prefix, double value)
    {
        await using var sandbox = await StartWithThreeAsync();

        (await sandbox.ValueAsync($"{prefix}:cpu{{*}}")).ShouldBe(value);
    }

    [Theory]
    [InlineData("*", 60)]
    [InlineData("user:ana", 30)]
    [InlineData("User:ANA", 30)]
    [InlineData("user:ana,template:a", 10)]
    [InlineData("user:ana AND template:a", 10)]
    [InlineData("user:ana and template:b", 20)]
    [InlineData("user:ana OR template:b", 60)]
    [InlineData("!user:ana", 30)]
    [InlineData("NOT user:ana", 30)]
    [InlineData("user:a*", 30)]
    [InlineData("user:*", 60)]
    [InlineData("user:*a", 30)]
    [InlineData("user:b*r*", 30)]
    [InlineData("template:b AND NOT user:ana", 30)]
    [InlineData("template:a OR (template:b AND user:bert)", 40)]
    [InlineData("( template:a OR template:b ) , !user:ana", 30)]
    [InlineData("user:nobody", null)]
    [InlineData("nokey:*", null)]
    public async Task TheScopeChoosesSeries(string scope, int? sum)
    {
        await using var sandbox = await StartWithThreeAsync();

        (await sandbox.ValueAsync($"sum:cpu{{{scope}}}")).ShouldBe(sum);
    }

    [Fact]
    public async Task GroupsFollowTheKeysAndASeriesWithoutTheKeyIsNotAvailable()
    {
        await using var sandbox = await StartWithThreeAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 1, 0, "template:a");

        var byUser = await sandbox.ValuesAsync("sum:cpu{*} by {user}");
        byUser.Keys.Order().ShouldBe(["user:N/A", "user:ana", "user:bert"], ignoreOrder: true);
        byUser["user:ana"].ShouldBe([30]);

        var both = await sandbox.ValuesAsync("sum:cpu{user:*} by {template,user}");
        both.Keys.ShouldBe(["template:a,user:ana", "template:b,user:ana", "template:b,user:bert"], ignoreOrder: true);
    }

    [Fact]
    public async Task WithinABucketAGaugeIsAveragedAndACountSummed()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var (offset, value) in new[] { (-60, 2), (-50, 4), (-40, 9) })
        {
            await sandbox.PutPointAsync("level", Gauge, value, offset);
            await sandbox.PutPointAsync("hits", Count, value, offset);
        }

        (await sandbox.ValuesAsync("sum:level{*}.rollup(60)"))[""].ShouldBe([5]);
        (await sandbox.ValuesAsync("sum:hits{*}.rollup(60)"))[""].ShouldBe([15]);
        (await sandbox.ValuesAsync("sum:level{*}.rollup(max, 60)"))[""].ShouldBe([9]);
        (await sandbox.ValuesAsync("sum:level{*}.rollup(min, 60)"))[""].ShouldBe([2]);
        (await sandbox.ValuesAsync("sum:hits{*}.rollup(count, 60)"))[""].ShouldBe([3]);
        (await sandbox.ValuesAsync("sum:hits{*}.as_count().rollup(60)"))[""].ShouldBe([15]);
        (await sandbox.ValuesAsync("sum:hits{*}.as_rate().rollup(60)"))[""].ShouldBe([0.25]);
        (await sandbox.ValuesAsync("sum:hits{*}.rollup(sum, 20)"))[""].ShouldBe([6, 9]);
    }

    [Fact]
    public async Task ARateReadAsACountIsTimesItsInterval()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PostV2Async(
            $$"""
            {"metric":"rps","type":{{Rate}},"interval":10,
             "points":[{"timestamp":{{sandbox.Now}},"value":3},{"timestamp":{{sandbox.Now + 10}},"value":5}]}
            """
        );

        (await sandbox.ValuesAsync("sum:rps{*}.as_count().rollup(60)"))[""].ShouldBe([80]);
        (await sandbox.ValuesAsync("sum:rps{*}.rollup(60)"))[""].ShouldBe([4]);
    }

    [Theory]
    [InlineData("avg", 2.5)]
    [InlineData("sum", 10)]
    [InlineData("min", 1)]
    [InlineData("max", 4)]
    [InlineData("count", 4)]
    public async Task ADistributionIsAggregatedOverAllItsSamples(string prefix, double value)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutSamplesAsync("latency", [1, 2], "k:a");
        await sandbox.PutSamplesAsync("latency", [3, 4], "k:b");

        (await sandbox.ValueAsync($"{prefix}:latency{{*}}")).ShouldBe(value);
    }

    [Theory]
    [InlineData("p0", 1)]
    [InlineData("p50", 50)]
    [InlineData("p95", 95)]
    [InlineData("p99.9", 99)]
    [InlineData("p100", 100)]
    [InlineData("count(v: v<=60)", 60)]
    [InlineData("count(v: v>99.5)", 1)]
    [InlineData("count(v: v<0)", 0)]
    public async Task PercentilesAndCountsOfValuesAreOfAllSamplesTogether(string prefix, double value)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutSamplesAsync(
            "latency",
            [.. Enumerable.Range(1, 100).Where(i => i % 3 == 0).Select(i => (double)i)],
            "k:a"
        );
        await sandbox.PutSamplesAsync(
            "latency",
            [.. Enumerable.Range(1, 100).Where(i => i % 3 != 0).Select(i => (double)i)],
            "k:b"
        );

        (await sandbox.ValuesAsync("p95:latency{*}")).ShouldBeEmpty();
        await sandbox.PostAsync(
            "/api/v2/metrics/latency/tags",
            """{"data":{"type":"manage_tags","id":"latency","attributes":{"metric_type":"distribution","tags":["k"],"include_percentiles":true}}}"""
        );

        (await sandbox.ValueAsync($"{prefix}:latency{{*}}")).ShouldBe(value);
    }

    [Fact]
    public async Task TheAnswerHasDatadogsShape()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var bucket = sandbox.Now - (sandbox.Now % 20);
        await sandbox.PostAsync(
            "/api/v2/series",
            Protobuf.Payload(Protobuf.Series("mem", Gauge, [(5, bucket + 7)], ["env:prod", "user:ana"], unit: "byte")),
            "application/x-protobuf"
        );
        var (from, to) = (sandbox.Now - 3_000, sandbox.Now + 600);

        var answer = (await sandbox.AskAsync("max:mem{env:prod} by {user}", from, to)).Json;

        answer.GetProperty("status").GetString().ShouldBe("ok");
        answer.GetProperty("res_type").GetString().ShouldBe("time_series");
        answer.GetProperty("query").GetString().ShouldBe("max:mem{env:prod} by {user}");
        answer.GetProperty("from_date").GetInt64().ShouldBe(from * 1000);
        answer.GetProperty("to_date").GetInt64().ShouldBe(to * 1000);
        answer.GetProperty("group_by")[0].GetString().ShouldBe("user");
        var series = answer.GetProperty("series")[0];
        series.GetProperty("metric").GetString().ShouldBe("mem");
        series.GetProperty("display_name").GetString().ShouldBe("mem");
        series.GetProperty("aggr").GetString().ShouldBe("max");
        series.GetProperty("scope").GetString().ShouldBe("env:prod,user:ana");
        series.GetProperty("expression").GetString().ShouldBe("max:mem{env:prod,user:ana}");
        series.GetProperty("tag_set")[0].GetString().ShouldBe("user:ana");
        series.GetProperty("unit")[0].GetProperty("name").GetString().ShouldBe("byte");
        series.GetProperty("interval").GetInt32().ShouldBe(20);
        series.GetProperty("length").GetInt32().ShouldBe(1);
        series.GetProperty("query_index").GetInt32().ShouldBe(0);
        series.GetProperty("start").GetInt64().ShouldBe(bucket * 1000);
        series.GetProperty("end").GetInt64().ShouldBe((bucket * 1000) + 19_999);
        series.GetProperty("pointlist").GetRawText().ShouldBe($"[[{bucket * 1000},5]]");
    }

    [Theory]
    [InlineData(300, 1)]
    [InlineData(3_600, 20)]
    [InlineData(14_400, 60)]
    [InlineData(86_400, 300)]
    [InlineData(604_800, 3_600)]
    public async Task TheBucketsFollowTheSpan(long span, int interval)
    {
        await using var sandbox = await StartWithThreeAsync();

        var answer = await sandbox.AskAsync("avg:cpu{*}", sandbox.Now - span, sandbox.Now);

        answer.Json.GetProperty("series")[0].GetProperty("interval").GetInt32().ShouldBe(interval);
    }

    [Fact]
    public async Task BothEndsOfTheSpanBelongToIt()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var offset in new[] { -31, -30, -20, -10, -9 })
        {
            await sandbox.PutPointAsync("a", Count, 1, offset);
        }

        var values = await sandbox.ValuesAsync("sum:a{*}.rollup(1)", sandbox.Now - 30, sandbox.Now - 10);

        values[""].Length.ShouldBe(3);
    }

    [Fact]
    public async Task SeveralQueriesKeepTheirOrder()
    {
        await using var sandbox = await StartWithThreeAsync();

        var answer = await sandbox.AskAsync("max:cpu{*}, min:cpu{*}");

        answer
            .Json.GetProperty("series")
            .EnumerateArray()
            .Select(one => (one.GetProperty("query_index").GetInt32(), one.GetProperty("pointlist")[0][1].GetDouble()))
            .ShouldBe([(0, 30), (1, 10)]);
    }

    [Theory]
    [InlineData("cpu{*}", "expected avg, sum, min, max or count")]
    [InlineData("p95:cpu{*}", "cpu is not a distribution; p95: needs one")]
    [InlineData("count(v: v<=60):cpu{*}", "cpu is not a distribution; count(v: v<=60): needs one")]
    [InlineData("p101:dist{*}", "a percentile is from p0 to p100, at character 5")]
    [InlineData("count(v: v~60):dist{*}", "expected a comparator, as in count(v: v<=60)")]
    [InlineData("avg:{*}", "expected the name of a metric, at character 5")]
    [InlineData("avg:cpu", "expected { and a scope")]
    [InlineData("avg:cpu{}", "expected a tag or *, at character 9")]
    [InlineData("avg:cpu{a:b", "expected } to close the scope, at character 12")]
    [InlineData("avg:cpu{(a:b}", "expected ) to close the parenthesis")]
    [InlineData("avg:cpu{$env}", "template variables")]
    [InlineData("avg:cpu{*} by {}", "expected the key of a tag")]
    [InlineData("avg:cpu{*}.top(5)", "unknown function")]
    [InlineData("avg:cpu{*}.rollup(p99)", "as in rollup(sum, 60)")]
    [InlineData("avg:cpu{*}.rollup(0)", "a rollup takes 1 to 86400 seconds")]
    [InlineData("avg:cpu{*} ^ 2", "expected , or the end, at character 12")]
    [InlineData("avg:cpu{*} / ", "expected avg, sum, min, max or count")]
    [InlineData("(avg:cpu{*}", "expected ) to close the parenthesis")]
    [InlineData("avg:cpu{*} / total", "total is not the name of a query")]
    [InlineData("median_9(avg:cpu{*})", "unknown function; abs, clamp_max")]
    [InlineData("clamp_min(avg:cpu{*})", "expected , and a number")]
    [InlineData("avg:dist{*}.rollup(sum, 60)", "dist is a distribution")]
    public async Task ABadQueryIsRefusedByItsPlace(string query, string message)
    {
        await using var sandbox = await StartWithThreeAsync();
        await sandbox.PutSamplesAsync("dist", [1]);

        var reply = await sandbox.AskAsync(query);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
    }

    [Fact]
    public async Task ADeepScopeIsRefusedAndNotFollowed()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.AskAsync($"avg:a{{{new string('(', 1_000)}")).Error.ShouldContain("levels");
        (await sandbox.AskAsync($"avg:a{{{new string('!', 1_000)}")).Error.ShouldContain("levels");
    }

    [Theory]
    [InlineData("/api/v1/query?query=avg:a{*}&to=1", "'from'")]
    [InlineData("/api/v1/query?query=avg:a{*}&from=1&to=x", "'to'")]
    [InlineData("/api/v1/query?from=1&to=2", "'query'")]
    [InlineData("/api/v1/query?query=avg:a{*}&from=3&to=2", "later than")]
    public async Task AMissingParameterIsNamed(string path, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.GetAsync(path)).Error.ShouldContain(message);
    }

    [Fact]
    public async Task AnUnknownMetricIsAnEmptyAnswer()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.ValuesAsync("avg:nothing{*}")).ShouldBeEmpty();
    }

    private static async Task<TestSandbox> StartWithThreeAsync()
    {
        var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 10, 0, "user:ana", "template:a");
        await sandbox.PutPointAsync("cpu", Gauge, 20, 0, "user:ana", "template:b");
        await sandbox.PutPointAsync("cpu", Gauge, 30, 0, "user:bert", "template:b");
        return sandbox;
    }
}
