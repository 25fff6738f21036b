using System.Globalization;
using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Whatever is configured or asked is taken or refused in plain words, and costs nothing else.</summary>
// Some count what the whole process allocates.
[Collection(nameof(CostTests))]
public sealed class HostileAssetTests
{
    private const string Dashboard = "/api/v1/dashboard";
    private const string Monitor = "/api/v1/monitor";
    private const string Slo = "/api/v1/slo";
    private const string Entity = "/api/v2/catalog/entity";
    private const string Tags = "/api/v2/metrics/..%2Fcpu/tags";
    private const string Series = "/api/v2/query/timeseries";
    private const string PageSeries = "/sandbox/query/timeseries";
    private const string Spread = "/sandbox/query/histogram";

    /// <summary>A body that each of the routes would take, or refuse for something else.</summary>
    private static readonly Dictionary<string, string> Good = new()
    {
        [Dashboard] = """{"title":"../x","layout_type":"ordered","widgets":[]""",
        [Monitor] = """{"type":"metric alert","name":"../x","query":"avg(last_5m):avg:m{*} > 1","options":{}""",
        [Monitor + "/validate"] =
            """{"type":"metric alert","name":"../x","query":"avg(last_5m):avg:m{*} > 1","options":{}""",
        [Slo] = """
            {"type":"metric","name":"../x","thresholds":[{"timeframe":"30d","target":99}],
             "query":{"numerator":"sum:a{*}.as_count()","denominator":"sum:b{*}.as_count()"}
            """,
        [Entity] = """{"apiVersion":"v3","kind":"service","metadata":{"name":"../x"}""",
        [Tags] = """{"data":{"type":"manage_tags","id":"../cpu","attributes":{"metric_type":"gauge","tags":[]}}""",
        [Series] = """{"data":{"type":"timeseries_request","attributes":{"from":0,"to":1,"queries":[]}}""",
        [PageSeries] = """{"data":{"type":"timeseries_request","attributes":{"from":0,"to":1,"queries":[]}}""",
        [Spread] = """{"query":"histogram:d{*}","from":0,"to":1""",
    };

    public static TheoryData<string> Paths => [.. Good.Keys];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task WhatCouldNotBeShownAgainIsRefusedWithItsPlace(string path)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (
            var (field, why) in new[]
            {
                ($"\"x\":{new string('[', 10_000)}{new string(']', 10_000)}", "more than 48 levels"),
                ($"\"x\":{new string('[', 60)}{new string(']', 60)}", "more than 48 levels"),
                ("\"x\":1,\"x\":1", "a field twice"),
                ("\"x\":{\"y\":1,\"\\u0079\":1}", "a field twice"),
                ("\"x\":\"\\ud800\"", "not valid Unicode"),
                ("\"\\ud800\":1", "not valid Unicode"),
                ("\"x\":-1e400", "out of range"),
            }
        )
        {
            var reply = await sandbox.PostAsync(path, $"{Good[path]},{field}}}");

            reply.Status.ShouldBe(HttpStatusCode.BadRequest, $"{field[..5]}: {reply.Text}");
            reply.Error.ShouldContain(why);
        }
        foreach (var other in new[] { "[]", "null", "7" })
        {
            (await sandbox.PostAsync(path, other)).Status.ShouldBe(HttpStatusCode.BadRequest);
        }
        var large = await sandbox.PostAsync(path, $"{Good[path]},\"x\":\"{new string('x', 10_000_000)}\"}}");
        large.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData(Monitor)]
    [InlineData(Slo)]
    public async Task AnEditThatCouldNotBeShownAgainLeavesEverythingAsItWas(string path)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var made = await sandbox.PostAsync(path, Good[path] + "}");
        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        var one = path == Slo ? made.Json.GetProperty("data")[0] : made.Json;
        var place = $"{path}/{one.GetProperty("id")}";
        var before = (await sandbox.GetAsync(place)).Text;
        foreach (var field in new[] { "\"name\":\"\\ud800\"", "\"name\":\"a\",\"name\":\"b\"", "\"tags\":[1e400]" })
        {
            (await sandbox.PutAsync(place, $"{{{field}}}")).Status.ShouldBe(HttpStatusCode.BadRequest);
        }

        (await sandbox.GetAsync(place)).Text.ShouldBe(before);
    }

    [Fact]
    public async Task AnEntityAsDeepAsIsTakenIsShownAgain()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var deep = new string('[', 46) + new string(']', 46);

        var made = await sandbox.PostAsync(Entity, $"{Good[Entity]},\"extensions\":{{\"x\":{deep}}}}}");

        made.Status.ShouldBe(HttpStatusCode.Accepted, made.Text);
        (await sandbox.GetAsync($"{Entity}?include=schema")).Text.ShouldContain(deep);
    }

    [Fact]
    public async Task ANameWithDotsAndSlashesIsANameAndNoPath()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        (await sandbox.PostAsync(Entity, Good[Entity] + "}")).Status.ShouldBe(HttpStatusCode.Accepted);

        foreach (var path in new[] { Dashboard, Monitor, Slo })
        {
            (await sandbox.GetAsync($"{path}/..%2F..%2Fetc%2Fpasswd")).Status.ShouldBe(HttpStatusCode.NotFound);
        }
        (await sandbox.GetAsync(Tags)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await sandbox.DeleteAsync($"{Entity}/service:default%2F..%2Fx")).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task AnErrorShowsTheBeginningOfWhatWasSent()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var type = new string('x', 1_000_000);

        var reply = await sandbox.PostAsync(
            Dashboard,
            $$$"""{"title":"t","layout_type":"ordered","widgets":[{"definition":{"type":"{{{type}}}"}}]}"""
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldStartWith("Invalid widget definition at position 0 of type xxx");
        reply.Error.Length.ShouldBe(2_000);
    }

    [Theory]
    [InlineData("(", "a", ")", 10_000, "longer than 4000 characters")]
    [InlineData("(", "a", ")", 1_000, "more than 64 levels")]
    [InlineData("abs(", "a", ")", 500, "more than 64 levels")]
    [InlineData("-", "a", "", 3_000, "more than 64 levels")]
    [InlineData("a+", "a", "", 500, "more than 100 operations")]
    [InlineData("", "timeshift(default_zero(a), 1e18)", "", 1, "a timeshift takes at most")]
    [InlineData("", "timeshift(a, -1e300)", "", 1, "a timeshift takes at most")]
    public async Task AFormulaWithoutEndIsRefusedAndNotFollowed(
        string before,
        string inner,
        string after,
        int times,
        string why
    )
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var formula =
            string.Concat(Enumerable.Repeat(before, times)) + inner + string.Concat(Enumerable.Repeat(after, times));

        var reply = await AskAsync(
            sandbox,
            "[{\"data_source\":\"metrics\",\"name\":\"a\",\"query\":\"sum:m{*}\"}]",
            formula
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(why);
    }

    [Theory]
    [InlineData("metrics", "\"query\":\"sum:QUERY{*}\"", "longer than 4000 characters")]
    [InlineData(
        "logs",
        "\"compute\":{\"aggregation\":\"count\"},\"search\":{\"query\":\"QUERY\"}",
        "longer than 4000 characters"
    )]
    [InlineData("logs", "\"compute\":{\"aggregation\":\"count\"},\"group_by\":[FACETS]", "20 facets")]
    public async Task AQueryWithoutEndIsRefused(string source, string fields, string why)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var written = fields
            .Replace("QUERY", new string('x', 100_000), StringComparison.Ordinal)
            .Replace(
                "FACETS",
                string.Join(',', Enumerable.Repeat("{\"facet\":\"x\"}", 10_000)),
                StringComparison.Ordinal
            );

        var reply = await AskAsync(sandbox, $$"""[{"data_source":"{{source}}","name":"a",{{written}} }]""", "a");

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(why);
    }

    [Fact]
    public async Task LongValuesOfTemplateVariablesAreNotPutIntoEachPlace()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var places = string.Concat(Enumerable.Repeat("$x", 1_000));
        var before = GC.GetTotalAllocatedBytes();

        var reply = await sandbox.PostAsync(
            Spread,
            $$"""
            {"from":0,"to":1,"query":"histogram:d{{places}}",
             "template_variables":[{"name":"x","values":["{{new string('x', 100_000)}}"]}]}
            """
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain("longer than 4000 characters");
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(20L << 20);
    }

    private static Task<Reply> AskAsync(TestSandbox sandbox, string queries, string formula) =>
        sandbox.PostAsync(
            Series,
            string.Create(
                CultureInfo.InvariantCulture,
                $$$"""
                {"data":{"type":"timeseries_request","attributes":{"from":{{{sandbox.Now
                    - 3_600}}}000,"to":{{{sandbox.Now}}}000,
                 "queries":{{{queries}}},"formulas":[{"formula":{{{JsonSerializer.Serialize(formula)}}} }] } } }
                """
            )
        );
}
