using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Formulas over queries are answered as a widget asks them.</summary>
public sealed class FormulaTests
{
    private const int Count = 1;
    private const int Gauge = 3;

    [Fact]
    public async Task ATimeseriesHasOneRowOfTimesForAllItsSeries()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 10, -20, "host:a");
        await sandbox.PutPointAsync("cpu", Gauge, 20, -10, "host:b");

        var answer = await AskAsync(
            sandbox,
            "timeseries",
            """[{"data_source":"metrics","name":"a","query":"avg:cpu{*} by {host}"}]""",
            """[{"formula":"a * 2"}]""",
            interval: 10_000
        );

        answer
            .GetRawText()
            .ShouldBe(
                $$"""{"series":[{"group_tags":["host:a"],"query_index":0,"unit":null},{"group_tags":["host:b"],"query_index":0,"unit":null}],"times":[{{sandbox.Now - 20}}000,{{sandbox.Now - 10}}000],"values":[[20,null],[null,40]]}"""
            );
    }

    [Fact]
    public async Task AScalarHasAColumnForEachKeyAndEachFormula()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 10, -20, "host:a");
        await sandbox.PutPointAsync("cpu", Gauge, 30, 0, "host:a");
        await sandbox.PutPointAsync("cpu", Gauge, 50, 0, "host:b");
        await sandbox.PutPointAsync("runs", Count, 3, 0, "host:b");

        var answer = await AskAsync(
            sandbox,
            "scalar",
            """
            [{"data_source":"metrics","name":"a","query":"avg:cpu{*} by {host}","aggregator":"last"},
             {"data_source":"metrics","name":"b","query":"sum:runs{*} by {host}","aggregator":"sum"}]
            """,
            """[{"formula":"a"},{"formula":"b"}]"""
        );

        answer
            .GetRawText()
            .ShouldBe(
                """{"columns":[{"name":"host","type":"group","values":[["a"],["b"]]},{"name":"a","type":"number","values":[30,50],"meta":{"unit":null}},{"name":"b","type":"number","values":[null,3],"meta":{"unit":null}}]}"""
            );
    }

    [Theory]
    [InlineData("avg", 20)]
    [InlineData("mean", 20)]
    [InlineData("sum", 40)]
    [InlineData("min", 10)]
    [InlineData("max", 30)]
    [InlineData("last", 30)]
    [InlineData("area", 400)]
    public async Task AScalarIsWhatItsAggregatorMakesOfThePoints(string aggregator, double value)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 10, -20);
        await sandbox.PutPointAsync("cpu", Gauge, 30);

        var answer = await AskAsync(
            sandbox,
            "scalar",
            $$"""[{"data_source":"metrics","name":"a","query":"avg:cpu{*}.rollup(10)","aggregator":"{{aggregator}}"}]"""
        );

        answer.GetProperty("columns")[0].GetProperty("values").GetRawText().ShouldBe($"[{value}]");
    }

    [Theory]
    [InlineData("desc", """[["c"],["b"]]""")]
    [InlineData("asc", """[["a"],["b"]]""")]
    public async Task ALimitKeepsTheFirstOfTheOrder(string order, string hosts)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var (host, value) in ((string, int)[])[("a", 1), ("c", 3), ("b", 2)])
        {
            await sandbox.PutPointAsync("cpu", Gauge, value, 0, $"host:{host}");
        }

        var answer = await AskAsync(
            sandbox,
            "scalar",
            """[{"data_source":"metrics","name":"a","query":"avg:cpu{*} by {host}","aggregator":"avg"}]""",
            $$$"""[{"formula":"a","limit":{"count":2,"order":"{{{order}}}"}}]"""
        );

        answer.GetProperty("columns")[0].GetProperty("values").GetRawText().ShouldBe(hosts);
    }

    [Fact]
    public async Task EventsAreCountedByBucketAndByField()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var priority in (string[])["normal", "normal", "low"])
        {
            await sandbox.PostAsync(
                "/api/v1/events",
                $$"""{"title":"t","text":"x","priority":"{{priority}}","tags":["k:v"]}"""
            );
        }

        var series = await AskAsync(
            sandbox,
            "timeseries",
            """[{"data_source":"events","name":"a","indexes":["*"],"compute":{"aggregation":"count"},"search":{"query":"k:v"}}]"""
        );
        var table = await AskAsync(
            sandbox,
            "scalar",
            """[{"data_source":"events","name":"a","compute":{"aggregation":"count"},"group_by":[{"facet":"priority"}]}]"""
        );

        series.GetProperty("values").GetRawText().ShouldBe("[[3]]");
        table.GetProperty("columns")[0].GetProperty("values").GetRawText().ShouldBe("""[["low"],["normal"]]""");
        table.GetProperty("columns")[1].GetProperty("values").GetRawText().ShouldBe("[1,2]");
    }

    [Fact]
    public async Task WhatIsCountedByTwoFieldsHasAColumnForEach()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var (priority, host) in new[] { ("normal", "a,b"), ("low", "c"), ("normal", "a,b") })
        {
            await sandbox.PostAsync(
                "/api/v1/events",
                $$"""{"title":"t","text":"x","priority":"{{priority}}","host":"{{host}}"}"""
            );
        }

        var table = await AskAsync(
            sandbox,
            "scalar",
            """[{"data_source":"events","name":"a","compute":{"aggregation":"count"},"group_by":[{"facet":"priority"},{"facet":"host"}]}]"""
        );

        var columns = table.GetProperty("columns");
        columns[0].GetProperty("values").GetRawText().ShouldBe("""[["low"],["normal"]]""");
        columns[1].GetProperty("values").GetRawText().ShouldBe("""[["c"],["a,b"]]""");
        columns[2].GetProperty("values").GetRawText().ShouldBe("[1,2]");
    }

    [Theory]
    [InlineData("scalar_rquest", "[]", """Invalid type. Expected "scalar_request".""")]
    [InlineData("scalar_request", "[]", "there must be 1 to 20 queries")]
    [InlineData(
        "scalar_request",
        """[{"data_source":"metrics","name":"a","query":"avg:cpu{*}"}]""",
        "'aggregator' is a required property"
    )]
    [InlineData(
        "scalar_request",
        """[{"data_source":"metrics","name":"a","query":"avg:cpu{$env}","aggregator":"avg"}]""",
        "template variables"
    )]
    [InlineData(
        "scalar_request",
        """[{"data_source":"rum","name":"a","compute":{"aggregation":"count"}}]""",
        "the sandbox has no rum"
    )]
    [InlineData(
        "scalar_request",
        """[{"data_source":"metrics","name":"b","query":"avg:cpu{*}","aggregator":"avg"}]""",
        "a is not the name of a query"
    )]
    public async Task ARequestThatIsNoneIsRefused(string type, string queries, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(
            "/api/v2/query/scalar",
            $$$$"""{"data":{"type":"{{{{type}}}}","attributes":{"from":0,"to":1000,"queries":{{{{queries}}}},"formulas":[{"formula":"a"}]}}}"""
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
    }

    [Fact]
    public async Task AnAnswerThatWouldNotFitIsRefusedBeforeItIsMade()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(
            "/api/v2/query/timeseries",
            """{"data":{"type":"timeseries_request","attributes":{"from":0,"to":4000000000000,"interval":1000,"queries":[{"data_source":"metrics","name":"a","query":"default_zero(avg:cpu{*})"}]}}}"""
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain("more than 1000000 points");
    }

    [Theory]
    [InlineData("""["a"]""", "[[1]]")]
    [InlineData("""["a","c"]""", "[[5]]")]
    [InlineData("""["*"]""", "[[7]]")]
    [InlineData("[]", "[[7]]")]
    public async Task ThePageLeavesTemplateVariablesAsTheyAre(string values, string answer)
    {
        await using var sandbox = await StartWithHostsAsync();
        sandbox.Client.DefaultRequestHeaders.Clear();

        var reply = await sandbox.PostAsync("/sandbox/query/timeseries", PageRequest("sum:cpu{$host,$other}", values));

        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        reply.Json.GetProperty("data").GetProperty("attributes").GetProperty("values").GetRawText().ShouldBe(answer);

        string PageRequest(string query, string chosen) =>
            $$"""
                {"template_variables":[{"name":"host","prefix":"host","values":{{chosen}}},{"name":"other","prefix":"k","values":["*"]}],
                 "data":{"type":"timeseries_request","attributes":{"from":{{sandbox.Now
                    - 60}}000,"to":{{sandbox.Now}}000,
                 "queries":[{"data_source":"metrics","name":"a","query":"{{query}}"}]} } }
                """;
    }

    [Fact]
    public async Task AVariableThatThereIsNotIsRefused()
    {
        await using var sandbox = await StartWithHostsAsync();

        var reply = await sandbox.PostAsync(
            "/sandbox/query/scalar",
            """{"template_variables":[],"data":{"type":"scalar_request","attributes":{"from":0,"to":1000,"queries":[{"data_source":"metrics","name":"a","query":"sum:cpu{$host}","aggregator":"sum"}]}}}"""
        );

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain("template variables");
    }

    [Fact]
    public async Task AHistogramSaysHowManySamplesEachRangeHolds()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutSamplesAsync("ready", [0, 1, 4, 9, 10], "t:a");
        await sandbox.PutSamplesAsync("ready", [5], "t:b");

        var all = await HistogramAsync("histogram:ready{*}");
        var one = await HistogramAsync("histogram:ready{t:b}");
        var none = await HistogramAsync("histogram:other{*}");

        all.Text.ShouldBe($$"""{"bounds":[0,5,10],"times":[{{sandbox.Now}}000],"counts":[[3,3]]}""");
        one.Text.ShouldBe($$"""{"bounds":[5,6,7],"times":[{{sandbox.Now}}000],"counts":[[1,0]]}""");
        none.Text.ShouldBe("""{"bounds":[],"times":[],"counts":[]}""");
        (await HistogramAsync("avg:ready{*}")).Error.ShouldContain("must be histogram:");
        (await sandbox.AskAsync("histogram:ready{*}")).Error.ShouldContain("it is no line");
        (await sandbox.PostAsync("/sandbox/query/histogram", """{"query":"histogram:ready{*}"}""")).Error.ShouldContain(
            "payload.from: missing"
        );

        Task<Reply> HistogramAsync(string query) =>
            sandbox.PostAsync(
                "/sandbox/query/histogram",
                $$"""{"query":"{{query}}","from":{{sandbox.Now - 60}}000,"to":{{sandbox.Now}}000,"bins":2}"""
            );
    }

    private static async Task<TestSandbox> StartWithHostsAsync()
    {
        var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("cpu", Gauge, 1, 0, "host:a");
        await sandbox.PutPointAsync("cpu", Gauge, 2, 0, "host:b");
        await sandbox.PutPointAsync("cpu", Gauge, 4, 0, "host:c");
        return sandbox;
    }

    private static async Task<JsonElement> AskAsync(
        TestSandbox sandbox,
        string type,
        string queries,
        string formulas = """[{"formula":"a"}]""",
        int interval = 10_000
    )
    {
        var reply = await sandbox.PostAsync(
            $"/api/v2/query/{type}",
            $$$"""
            {"data":{"type":"{{{type}}}_request","attributes":{"from":{{{sandbox.Now
                - 600}}}000,"to":{{{sandbox.Now}}}000,
             {{{(
                type == "timeseries" ? $"\"interval\":{interval}," : ""
            )}}}"queries":{{{queries}}},"formulas":{{{formulas}}} } } }
            """
        );
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        return reply.Json.GetProperty("data").GetProperty("attributes");
    }
}
