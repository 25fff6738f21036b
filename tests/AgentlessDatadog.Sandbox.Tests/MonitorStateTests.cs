using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Metric monitors stand as Datadog would say from the same points.</summary>
public sealed class MonitorStateTests
{
    private const string Path = "/api/v1/monitor";
    private const int Count = 1;
    private const int Gauge = 3;

    [Fact]
    public async Task AMonitorGoesToWarningToAlertAndBack()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(
            sandbox,
            "avg(last_1m):avg:cpu{*} > 90",
            """{"thresholds":{"critical":90,"warning":80}}"""
        );
        var seen = new List<string>();
        foreach (var value in (int[])[50, 85, 95, 90, 50])
        {
            seen.Add(await AfterAMinuteAsync(sandbox, id, value));
        }

        seen.ShouldBe(["OK", "Warn", "Alert", "Warn", "OK"]);
    }

    [Fact]
    public async Task ARecoveryThresholdHoldsTheStateUntilItIsReached()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(
            sandbox,
            "avg(last_1m):avg:cpu{*} > 90",
            """{"thresholds":{"critical":90,"critical_recovery":70,"warning":60,"warning_recovery":50}}"""
        );
        var seen = new List<string>();
        foreach (var value in (int[])[80, 95, 80, 71, 70, 55, 50, 55])
        {
            seen.Add(await AfterAMinuteAsync(sandbox, id, value));
        }

        seen.ShouldBe(["Warn", "Alert", "Alert", "Alert", "Warn", "Warn", "OK", "OK"]);
    }

    [Theory]
    [InlineData("<", 0, "Alert")]
    [InlineData("<", 1, "OK")]
    [InlineData("<=", 1, "Alert")]
    [InlineData(">=", 1, "Alert")]
    [InlineData("==", 1, "Alert")]
    [InlineData("!=", 1, "OK")]
    public async Task EachComparatorMeansWhatItSays(string comparator, int value, string state)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, $"max(last_5m):min:up{{*}} {comparator} 1", "{}");

        (await AfterAMinuteAsync(sandbox, id, value, "up")).ShouldBe(state);
    }

    [Fact]
    public async Task EachGroupStandsForItselfAndTheWorstForAll()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "avg(last_5m):avg:cpu{*} by {host} > 90", """{"new_group_delay":0}""");
        await sandbox.PutPointAsync("cpu", Gauge, 95, 0, "host:a");
        await sandbox.PutPointAsync("cpu", Gauge, 10, 0, "host:b");

        var all = (await sandbox.GetAsync($"{Path}/{id}?group_states=all")).Json;
        var alerts = (await sandbox.GetAsync($"{Path}/{id}?group_states=alert")).Json;
        var plain = (await sandbox.GetAsync($"{Path}/{id}")).Json;

        all.GetProperty("overall_state").GetString().ShouldBe("Alert");
        all.GetProperty("state")
            .GetRawText()
            .ShouldBe(
                $$$$"""{"groups":{"host:a":{"name":"host:a","status":"Alert","last_triggered_ts":{{{{sandbox.Now}}}}},"host:b":{"name":"host:b","status":"OK"}}}"""
            );
        alerts
            .GetProperty("state")
            .GetProperty("groups")
            .EnumerateObject()
            .ShouldHaveSingleItem()
            .Name.ShouldBe("host:a");
        plain.TryGetProperty("state", out _).ShouldBeFalse();
        plain.GetProperty("overall_state_modified").GetString().ShouldBe("2026-03-01T12:00:00.000000+00:00");
        var found = (await sandbox.GetAsync($"{Path}/search?query=status:alert")).Json.GetProperty("monitors")[0];
        found.GetProperty("status").GetString().ShouldBe("Alert");
        found.GetProperty("last_triggered_ts").GetInt64().ShouldBe(sandbox.Now);
        (await sandbox.GetAsync($"{Path}/search?query=status:ok"))
            .Json.GetProperty("monitors")
            .GetArrayLength()
            .ShouldBe(0);
    }

    [Fact]
    public async Task ANewGroupIsLeftAloneForItsDelay()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "avg(last_1m):avg:cpu{*} by {host} > 90", """{"new_group_delay":120}""");
        var seen = new List<string>();
        for (var minute = 0; minute < 3; minute++)
        {
            seen.Add(await AfterAMinuteAsync(sandbox, id, 95, "cpu", "host:a"));
        }

        seen.ShouldBe(["OK", "OK", "Alert"]);
    }

    [Theory]
    [InlineData("default", "Alert")]
    [InlineData("show_no_data", "No Data")]
    [InlineData("show_and_notify_no_data", "No Data")]
    [InlineData("resolve", "OK")]
    public async Task MissingDataMeansWhatTheMonitorSays(string option, string state)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(
            sandbox,
            "avg(last_5m):avg:cpu{*} by {host} > 90",
            $$"""{"new_group_delay":0,"on_missing_data":"{{option}}"}"""
        );
        await AfterAMinuteAsync(sandbox, id, 95, "cpu", "host:a");
        (await StateAsync(sandbox, id)).ShouldBe("Alert");

        sandbox.Time.Advance(TimeSpan.FromMinutes(6));

        (await StateAsync(sandbox, id)).ShouldBe(state);
    }

    [Theory]
    [InlineData("{}", "No Data")]
    [InlineData("""{"on_missing_data":"show_no_data"}""", "No Data")]
    [InlineData("""{"on_missing_data":"resolve"}""", "OK")]
    public async Task WhatNeverHadDataHasNone(string options, string state)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "avg(last_5m):avg:cpu{*} > 90", options);

        (await StateAsync(sandbox, id)).ShouldBe(state);
    }

    [Fact]
    public async Task CountsThatAreMissingAreZero()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "sum(last_5m):sum:failed{*}.as_count() < 1", "{}");

        (await AfterAMinuteAsync(sandbox, id, 2, "failed", type: Count)).ShouldBe("OK");
        sandbox.Time.Advance(TimeSpan.FromMinutes(6));
        (await StateAsync(sandbox, id)).ShouldBe("Alert");
    }

    [Fact]
    public async Task ARatioIsOfTheSumsOfTheWindowAndOfEnoughOfThem()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(
            sandbox,
            "sum(last_1h):100 * (sum:failed{*}.as_count() / sum:created{*}.as_count()) * is_greater(sum:created{*}.as_count(), 4) > 20",
            """{"on_missing_data":"default"}"""
        );
        var seen = new List<string>();
        foreach (var (created, failed) in ((int, int)[])[(3, 3), (1, 0), (1, 0), (20, 0)])
        {
            await sandbox.PutPointAsync("created", Count, created);
            if (failed > 0)
            {
                await sandbox.PutPointAsync("failed", Count, failed);
            }
            seen.Add(await StateAsync(sandbox, id));
            sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        }

        // 3 of 3 are too few; 3 of 5 are a share of 60; 3 of 25 are 12.
        seen.ShouldBe(["OK", "OK", "Alert", "OK"]);
    }

    [Fact]
    public async Task APercentileIsWatchedOnceItIsSwitchedOn()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "avg(last_1h):p95:ready{*} > 60", """{"on_missing_data":"show_no_data"}""");
        await sandbox.PutSamplesAsync("ready", [.. Enumerable.Range(1, 100).Select(i => (double)i)]);
        (await StateAsync(sandbox, id)).ShouldBe("No Data");

        await sandbox.PostAsync(
            "/api/v2/metrics/ready/tags",
            """{"data":{"type":"manage_tags","id":"ready","attributes":{"metric_type":"distribution","tags":[],"include_percentiles":true}}}"""
        );

        (await StateAsync(sandbox, id)).ShouldBe("Alert");
    }

    [Fact]
    public async Task WhatHappenedWhileNobodyLookedCounts()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(sandbox, "avg(last_1m):avg:cpu{*} > 90", """{"on_missing_data":"resolve"}""");
        sandbox.Time.Advance(TimeSpan.FromMinutes(10));
        await sandbox.PutPointAsync("cpu", Gauge, 95, -300);

        await StateAsync(sandbox, id);

        var found = (await sandbox.GetAsync($"{Path}/search")).Json.GetProperty("monitors")[0];
        found.GetProperty("status").GetString().ShouldBe("OK");
        found.GetProperty("last_triggered_ts").GetInt64().ShouldBeInRange(sandbox.Now - 300, sandbox.Now - 240);
    }

    [Fact]
    public async Task AnEditedMonitorBeginsAnew()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var id = await CreateAsync(
            sandbox,
            "avg(last_1m):avg:cpu{*} > 90",
            """{"thresholds":{"critical":90,"critical_recovery":10}}"""
        );
        await AfterAMinuteAsync(sandbox, id, 95);
        (await AfterAMinuteAsync(sandbox, id, 50)).ShouldBe("Alert");

        var edited = await sandbox.PutAsync($"{Path}/{id}", """{"options":{"thresholds":{"critical":90}}}""");

        edited.Json.GetProperty("overall_state").GetString().ShouldBe("OK");
    }

    private static async Task<string> AfterAMinuteAsync(
        TestSandbox sandbox,
        long id,
        int value,
        string metric = "cpu",
        string? tag = null,
        int type = Gauge
    )
    {
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        await sandbox.PutPointAsync(metric, type, value, 0, tag is null ? [] : [tag]);
        return await StateAsync(sandbox, id);
    }

    private static async Task<string> StateAsync(TestSandbox sandbox, long id) =>
        (await sandbox.GetAsync($"{Path}/{id}")).Json.GetProperty("overall_state").GetString()!;

    private static async Task<long> CreateAsync(TestSandbox sandbox, string query, string options)
    {
        var made = await sandbox.PostAsync(
            Path,
            $$"""{"type":"query alert","name":"m","query":{{JsonSerializer.Serialize(query)}},"options":{{options}}}"""
        );
        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        return made.Json.GetProperty("id").GetInt64();
    }
}
