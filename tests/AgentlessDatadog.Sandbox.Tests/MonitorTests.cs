using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Monitors are taken, answered and refused as Datadog does it.</summary>
public sealed class MonitorTests
{
    private const string Path = "/api/v1/monitor";
    private const string Query = "avg(last_5m):avg:cpu{env:prod} by {host} > 90";

    [Fact]
    public async Task AMetricAlertIsAnsweredAsAQueryAlertWithDatadogsDefaults()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var made = await sandbox.PostAsync(
            Path,
            Monitor(options: """{"thresholds":{"critical":90,"warning":80,"ok":null},"on_missing_data":"resolve"}""")
        );

        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        made.Json.GetProperty("type").GetString().ShouldBe("query alert");
        made.Json.GetProperty("multi").GetBoolean().ShouldBeTrue();
        made.Json.GetProperty("priority").ValueKind.ShouldBe(JsonValueKind.Null);
        made.Json.GetProperty("created").GetString().ShouldBe("2026-03-01T12:00:00.000000+00:00");
        made.Json.GetProperty("options")
            .GetRawText()
            .ShouldBe(
                """{"thresholds":{"critical":90,"warning":80},"on_missing_data":"resolve","notify_no_data":false,"notify_audit":false,"include_tags":true,"new_host_delay":300,"silenced":{}}"""
            );
        var id = made.Json.GetProperty("id").GetInt64();
        (await sandbox.GetAsync($"{Path}/{id}")).Text.ShouldBe(made.Text);
        (await sandbox.GetAsync(Path)).Text.ShouldBe($"[{made.Text}]");
    }

    [Fact]
    public async Task AnEditChangesWhatItNamesAndReplacesTheOptionsWhole()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Monitor(options: """{"on_missing_data":"resolve"}"""));
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));

        var edited = await sandbox.PutAsync(
            $"{Path}/{id}",
            """{"name":"new","options":{"timeout_h":1},"priority":2}"""
        );

        edited.Status.ShouldBe(HttpStatusCode.OK, edited.Text);
        edited.Json.GetProperty("name").GetString().ShouldBe("new");
        edited.Json.GetProperty("query").GetString().ShouldBe(Query);
        edited.Json.GetProperty("priority").GetInt32().ShouldBe(2);
        edited.Json.GetProperty("options").TryGetProperty("on_missing_data", out _).ShouldBeFalse();
        edited.Json.GetProperty("options").GetProperty("thresholds").GetProperty("critical").GetDouble().ShouldBe(90);
        edited.Json.GetProperty("modified").GetString().ShouldBe("2026-03-01T12:01:00.000000+00:00");
        (await sandbox.PutAsync($"{Path}/{id}", edited.Text)).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.PutAsync($"{Path}/{id}", """{"type":"log alert"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await sandbox.PutAsync($"{Path}/{id}", """{"type":"metric alert"}""")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ADeletedMonitorIsNotFound()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Monitor());

        (await sandbox.DeleteAsync($"{Path}/{id}")).Text.ShouldBe($$"""{"deleted_monitor_id":{{id}}}""");

        foreach (
            var missing in (Reply[])
                [
                    await sandbox.GetAsync($"{Path}/{id}"),
                    await sandbox.PutAsync($"{Path}/{id}", "{}"),
                    await sandbox.DeleteAsync($"{Path}/{id}"),
                ]
        )
        {
            missing.Status.ShouldBe(HttpStatusCode.NotFound);
            missing.Error.ShouldBe("Monitor not found");
        }
    }

    [Theory]
    [InlineData(
        """{"thresholds":{"critical":91}}""",
        "Alert threshold (91.0) does not match that used in the query (90.0)."
    )]
    [InlineData("""{"thresholds":{"warning":80}}""", "Alert status is required.")]
    [InlineData("""{"thresholds":{"critical":90,"warning":95}}""", "Warning threshold (95.0) must come before")]
    [InlineData(
        """{"thresholds":{"critical":90,"critical_recovery":91}}""",
        "alert and alert recovery criteria are such that the monitor can be simultaneously in alert and alert recovery states"
    )]
    [InlineData("""{"thresholds":{"critical":90,"warning_recovery":70}}""", "warning recovery")]
    [InlineData("""{"on_missing_data":"resolve","notify_no_data":true}""", "cannot be set together")]
    [InlineData("""{"on_missing_data":"resolve","no_data_timeframe":10}""", "cannot be set together")]
    [InlineData("""{"on_missing_data":"ignore"}""", "'ignore' is not one of ['default', ")]
    [InlineData("""{"renotify_statuses":["warm"]}""", "'warm' is not one of ['alert', ")]
    [InlineData("""{"threshold":{}}""", "Additional properties are not allowed ('threshold' was unexpected)")]
    public async Task OptionsThatDatadogRefusesAreRefusedByCreationAndValidationAlike(string options, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, Monitor(options: options));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
        var validation = await sandbox.PostAsync($"{Path}/validate", Monitor(options: options));
        validation.Text.ShouldBe(reply.Text);
        validation.Status.ShouldBe(reply.Status);
        (await sandbox.GetAsync(Path)).Text.ShouldBe("[]");
    }

    [Theory]
    [InlineData("query", "invalid operator specified: ")]
    [InlineData("avg:cpu{*} > 1", "expected ( and a window")]
    [InlineData("median(last_5m):avg:cpu{*} > 1", "expected avg, sum, min, max or percentile")]
    [InlineData("avg(last_0m):avg:cpu{*} > 1", "expected last_1m to last_10080m")]
    [InlineData("avg(last_99999w):avg:cpu{*} > 1", "expected last_1m to last_10080m")]
    [InlineData("avg(last_5m):avg:cpu{*} > x", "expected a number to compare with")]
    [InlineData("avg(last_5m):avg:cpu{* > 1", "expected } to close the scope")]
    [InlineData("avg(last_5m):a + b > 1", "expected a query of a metric")]
    [InlineData("avg(last_5m):avg:cpu{*} + b > 1", "b is not a query")]
    [InlineData("avg(last_5m):avg:a{*} by {x} / avg:b{*} by {y} > 1", "grouped by the same tags")]
    [InlineData("avg(last_5m):avg:cpu{*} > 1 or so", "expected the end")]
    public async Task AQueryThatIsNoneIsRefusedInTheSameWordsByCreationAndValidation(string query, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, Monitor(query));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldStartWith("The value provided for parameter 'query' is invalid: ");
        reply.Error.ShouldContain(message);
        (await sandbox.PostAsync($"{Path}/validate", Monitor(query))).Text.ShouldBe(reply.Text);
    }

    [Theory]
    [InlineData("avg(last_15m):p95:ready{env:prod} by {template} >= 60")]
    [InlineData(
        "sum(last_1h):100 * default_zero(sum:bad{*}.as_count()) / (sum:good{*}.as_count() + sum:bad{*}.as_count()) > 5"
    )]
    [InlineData("max(last_1d):max:age{*} by {source,cluster} < -1.5e3")]
    [InlineData("min(current_1d):count(v: v<=60):ready{*}.as_count() == 0")]
    [InlineData("percentile(last_1w):p99.9:ready{!env:dev AND a:b*}.rollup(60) != 1")]
    public async Task AQueryThatIsOneIsValid(string query)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        (await sandbox.PostAsync($"{Path}/validate", Monitor(query))).Text.ShouldBe("{}");
    }

    [Fact]
    public async Task WithDefaultZeroNoDataIsNeverMissing()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        const string query = "sum(last_5m):default_zero(sum:a{*}.as_count()) > 1";

        (await sandbox.PostAsync(Path, Monitor(query, """{"on_missing_data":"show_no_data"}"""))).Error.ShouldContain(
            "'on_missing_data' must be 'default'"
        );
        (await sandbox.PostAsync(Path, Monitor(query, """{"on_missing_data":"default"}"""))).Status.ShouldBe(
            HttpStatusCode.OK
        );
    }

    [Fact]
    public async Task AnExactTwinIsRefusedAndNamesTheFirst()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Monitor());
        var other = await CreateAsync(sandbox, Monitor(name: "other"));

        (await sandbox.PostAsync(Path, Monitor())).Error.ShouldBe($"Duplicate of an existing monitor_id:{id} org_id:1");
        (await sandbox.PutAsync($"{Path}/{other}", """{"name":"CPU"}""")).Error.ShouldStartWith("Duplicate");
        (await sandbox.PutAsync($"{Path}/{id}", """{"name":"CPU"}""")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AListIsFilteredByTagsAndNameAndPaged()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        foreach (var i in Enumerable.Range(1, 5))
        {
            await CreateAsync(sandbox, Monitor(name: $"m{i}", tags: $"""["managed-by:x","key:{i % 2}"]"""));
        }
        async Task<string?[]> NamesAsync(string query) =>
            [
                .. (await sandbox.GetAsync($"{Path}?{query}"))
                    .Json.EnumerateArray()
                    .Select(monitor => monitor.GetProperty("name").GetString()),
            ];

        (await NamesAsync("monitor_tags=managed-by:x,key:1")).ShouldBe(["m1", "m3", "m5"]);
        (await NamesAsync("monitor_tags=managed-by:y")).ShouldBeEmpty();
        (await NamesAsync("name=m3")).ShouldBe(["m3"]);
        (await NamesAsync("page=1&page_size=2")).ShouldBe(["m3", "m4"]);
        (await NamesAsync("page=9&page_size=2")).ShouldBeEmpty();
        (await sandbox.GetAsync($"{Path}?group_states=none")).Error.ShouldBe("Invalid group_state filters.");
    }

    [Fact]
    public async Task ASearchFindsByTagNameAndStatusAndCounts()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await CreateAsync(sandbox, Monitor(name: "one", tags: """["managed-by:x"]"""));
        var second = await CreateAsync(sandbox, Monitor(name: "two"));

        var all = (await sandbox.GetAsync($"{Path}/search?per_page=1&page=1")).Json;
        var tagged = (
            await sandbox.GetAsync(
                $"{Path}/search?query={Uri.EscapeDataString("tag:\"managed-by:x\" status:\"no data\"")}"
            )
        ).Json;
        var bad = await sandbox.GetAsync($"{Path}/search?query=status:bad");

        all.GetProperty("metadata").GetRawText().ShouldBe("""{"total_count":2,"page_count":2,"page":1,"per_page":1}""");
        all.GetProperty("monitors")[0].GetProperty("id").GetInt64().ShouldBe(second);
        tagged
            .GetProperty("monitors")
            .EnumerateArray()
            .ShouldHaveSingleItem()
            .GetProperty("name")
            .GetString()
            .ShouldBe("one");
        tagged
            .GetProperty("counts")
            .GetProperty("tag")
            .GetRawText()
            .ShouldBe("""[{"count":1,"name":"managed-by:x"}]""");
        bad.Status.ShouldBe(HttpStatusCode.BadRequest);
        bad.Error.ShouldBe("Query parsing error: 'bad' is not a valid monitor status");
    }

    [Fact]
    public async Task WhatNothingUsesCanBeDeleted()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, Monitor());

        (await sandbox.GetAsync($"{Path}/can_delete?monitor_ids={id}")).Text.ShouldBe(
            $$"""{"data":{"ok":[{{id}}]},"errors":null}"""
        );
        (await sandbox.GetAsync($"{Path}/can_delete?monitor_ids={id},1")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<long> CreateAsync(TestSandbox sandbox, string monitor)
    {
        var made = await sandbox.PostAsync(Path, monitor);
        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        return made.Json.GetProperty("id").GetInt64();
    }

    private static string Monitor(
        string query = Query,
        string options = "{}",
        string name = "CPU",
        string tags = "[]"
    ) =>
        $$"""
            {"type":"metric alert","name":"{{name}}","query":{{JsonSerializer.Serialize(
                query
            )}},"message":"m","tags":{{tags}},"options":{{options}}}
            """;
}
