using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>SLOs are taken, answered and refused as Datadog does it.</summary>
public sealed class SloTests
{
    private const string Path = "/api/v1/slo";

    private const string Count =
        """{"count":{"good_events_formula":{"formula":"a - b"},"total_events_formula":{"formula":"a"},"queries":[{"data_source":"metrics","name":"a","query":"sum:starts{*}.as_count()"},{"data_source":"metrics","name":"b","query":"sum:failed{*}.as_count()"}]}}""";

    [Fact]
    public async Task AnSloIsAnsweredInAListAndReadBackAlone()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var made = await sandbox.PostAsync(Path, Slo(Count));

        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        var slo = made.Json.GetProperty("data")[0];
        var id = slo.GetProperty("id").GetString()!;
        slo.GetProperty("type_id").GetInt32().ShouldBe(1);
        slo.GetProperty("created_at").GetInt64().ShouldBe(sandbox.Now);
        slo.GetProperty("thresholds")
            .GetRawText()
            .ShouldBe(
                """[{"timeframe":"30d","target":99,"target_display":"99.","warning":99.5,"warning_display":"99.5"}]"""
            );
        slo.GetProperty("query")
            .GetRawText()
            .Replace("\\u002B", "+", StringComparison.Ordinal)
            .ShouldBe(
                """{"numerator":"sum:starts{*}.as_count() - sum:failed{*}.as_count()","denominator":"sum:starts{*}.as_count()"}"""
            );
        (await sandbox.GetAsync($"{Path}/{id}")).Text.ShouldBe($$"""{"data":{{slo.GetRawText()}},"error":null}""");
        (await sandbox.GetAsync($"{Path}?tags_query=managed-by:x"))
            .Json.GetProperty("data")
            .GetArrayLength()
            .ShouldBe(1);
        (await sandbox.GetAsync($"{Path}?tags_query=managed-by:y"))
            .Json.GetProperty("data")
            .GetArrayLength()
            .ShouldBe(0);
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        var edited = await sandbox.PutAsync(
            $"{Path}/{id}",
            slo.GetRawText().Replace("99.5", "99.9", StringComparison.Ordinal)
        );
        edited.Status.ShouldBe(HttpStatusCode.OK, edited.Text);
        edited.Json.GetProperty("data")[0].GetProperty("modified_at").GetInt64().ShouldBe(sandbox.Now);
        edited.Json.GetProperty("data")[0].GetProperty("created_at").GetInt64().ShouldBe(sandbox.Now - 60);
    }

    [Fact]
    public async Task WhatADashboardShowsStaysUnlessForced()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Slo(Count));
        var dashboard = (
            await sandbox.PostAsync(
                "/api/v1/dashboard",
                """
                {"title":"d","layout_type":"ordered","widgets":[{"definition":{"type":"group","layout_type":"ordered","widgets":[
                 {"definition":{"type":"slo","view_type":"detail","slo_id":"ID"}}]}}]}
                """.Replace("ID", id, StringComparison.Ordinal)
            )
        ).Json.GetProperty("id").GetString();

        var refused = await sandbox.DeleteAsync($"{Path}/{id}");
        var forced = await sandbox.DeleteAsync($"{Path}/{id}?force=true");

        refused.Status.ShouldBe(HttpStatusCode.Conflict);
        refused.Text.ShouldBe($$"""{"errors":"slo {{id}} is referenced in dashboard_id: {{dashboard}}","data":null}""");
        forced.Text.ShouldBe($$"""{"data":["{{id}}"],"error":null}""");
        (await sandbox.DeleteAsync($"{Path}/{id}")).Error.ShouldBe($"SLO not found: {id} not found");
        (await sandbox.GetAsync($"{Path}/{id}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task AMonitorThatAnSloUsesStaysUnlessForced()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var monitor = (
            await sandbox.PostAsync(
                "/api/v1/monitor",
                """{"type":"query alert","name":"m","query":"avg(last_5m):avg:cpu{*} > 1"}"""
            )
        )
            .Json.GetProperty("id")
            .GetInt64();
        var slo = await CreateAsync(
            sandbox,
            $$"""{"name":"s","type":"monitor","monitor_ids":[{{monitor}}],"thresholds":[{"timeframe":"7d","target":99}]}"""
        );
        var why = $"monitor [{monitor},m] is referenced in slos: [{slo},s]";

        var refused = await sandbox.DeleteAsync($"/api/v1/monitor/{monitor}");
        var asked = await sandbox.GetAsync($"/api/v1/monitor/can_delete?monitor_ids={monitor}");

        refused.Status.ShouldBe(HttpStatusCode.Unauthorized);
        refused.Error.ShouldBe(why);
        asked.Status.ShouldBe(HttpStatusCode.Conflict);
        asked.Text.ShouldBe($$$"""{"data":{"ok":[]},"errors":{"{{{monitor}}}":["{{{why}}}"]}}""");
        (await sandbox.DeleteAsync($"/api/v1/monitor/{monitor}?force=true")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(
        """{"name":"s","type":"monitor","thresholds":[{"timeframe":"7d","target":95}]}""",
        "must specify monitor_ids"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":95}]}""",
        "must specify the query for count types"
    )]
    [InlineData(
        """{"name":"s","type":"time_slice","thresholds":[{"timeframe":"7d","target":95}]}""",
        "must specify the sli_specification"
    )]
    [InlineData("""{"name":"s","type":"metric","thresholds":[]}""", "must specify at least one threshold")]
    [InlineData("""{"name":"s","type":"metric","thresholds":[{"timeframe":"8d","target":95}]}""", "'8d' is not one of")]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":100}]}""",
        "a target must be between"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":99,"warning":98}]}""",
        "a warning must be greater"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":99}],"query":{"numerator":"x","denominator":"avg:"}}""",
        "'avg:': Error parsing query"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":99}],"sli_specification":{"count":{"good_events_formula":{"formula":"a"},"total_events_formula":{"formula":"z"},"queries":[{"data_source":"metrics","name":"a","query":"sum:a{*}.as_count()"}]}}}""",
        "'z' in the formula 'z' is no name of a query"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":99}],"sli_specification":{"count":{"good_events_formula":{"formula":"a"},"total_events_formula":{"formula":"a"},"queries":[{"data_source":"metrics","name":"a","query":"sum:a{*}.as_count()"},{"data_source":"metrics","name":"a","query":"sum:b{*}.as_count()"}]}}}""",
        "two queries are named 'a'"
    )]
    [InlineData(
        """{"name":"s","type":"metric","thresholds":[{"timeframe":"7d","target":99}],"sli_specification":{"count":{"good_events_formula":{"formula":"a"},"total_events_formula":{"formula":"a"},"bad_events_formula":{"formula":"a"},"queries":[{"data_source":"metrics","name":"a","query":"sum:a{*}.as_count()"}]}}}""",
        "is not valid under any of the given schemas"
    )]
    public async Task AnSloThatDatadogRefusesIsRefused(string slo, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, slo);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldStartWith("Invalid payload: ");
        reply.Error.ShouldContain(message);
    }

    [Fact]
    public async Task AnSloKeepsItsType()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Slo(Count));

        var reply = await sandbox.PutAsync(
            $"{Path}/{id}",
            """{"name":"s","type":"monitor","thresholds":[{"timeframe":"7d","target":95}]}"""
        );

        reply.Error.ShouldBe("Invalid payload: must specify the query for count types");
    }

    private static async Task<string> CreateAsync(TestSandbox sandbox, string slo)
    {
        var made = await sandbox.PostAsync(Path, slo);
        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        return made.Json.GetProperty("data")[0].GetProperty("id").GetString()!;
    }

    private static string Slo(string specification) =>
        $$"""
            {"name":"Starts that succeed","type":"metric","tags":["managed-by:x"],
             "thresholds":[{"timeframe":"30d","target":99,"warning":99.5}],"sli_specification":{{specification}}}
            """;
}
