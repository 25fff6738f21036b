using System.Net;
using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>What somebody sees who starts it for the first time, with nothing configured.</summary>
public sealed class NewcomerTests : IAsyncLifetime
{
    private Installation _installation = null!;

    public async ValueTask InitializeAsync() => _installation = await Installation.StartAsync();

    public async ValueTask DisposeAsync() => await _installation.DisposeAsync();

    [Fact]
    public async Task TheSandboxHoldsEveryMetricOfTheSpecWithItsTypeUnitAndTagsWithinOneFlush()
    {
        (string Metric, string Type, string? Unit, string[] Tags)[] spec =
        [
            ("streamspace.session.created", "count", null, ["user", "template"]),
            ("streamspace.session.terminated", "count", null, ["user", "template"]),
            ("streamspace.session.active", "gauge", null, ["user", "template"]),
            ("streamspace.session.duration", "gauge", "second", ["user", "template", "session"]),
            ("streamspace.session.cpu_usage", "gauge", "percent", ["session", "user", "template"]),
            ("streamspace.session.memory_usage", "gauge", "byte", ["session", "user", "template"]),
            ("streamspace.session.storage_usage", "gauge", "byte", ["session", "user", "template"]),
            ("streamspace.user.created", "count", null, ["user"]),
            ("streamspace.user.login", "count", null, ["user"]),
            ("streamspace.user.logout", "count", null, ["user"]),
            ("streamspace.users.total", "gauge", null, []),
        ];
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-5);
        foreach (var (metric, type, unit, tags) in spec)
        {
            var by = tags.Length == 0 ? "" : $" by {{{string.Join(',', tags)}}}";
            var series = await Eventually.GetAsync(
                metric,
                async () =>
                {
                    var to = TimeProvider.System.GetUtcNow().AddMinutes(1);
                    var found = await _installation.Sandbox.QueryAsync($"avg:{metric}{{env:production}}{by}", from, to);
                    return found.Count > 0 ? found : null;
                }
            );
            series.ShouldAllBe(s =>
                s.Tags.All(t => !t.EndsWith(":N/A")) && s.Points.All(p => double.IsFinite(p.Value))
            );
            series.ShouldAllBe(s =>
                tags.Length == 0 || s.Tags.Select(t => t.Split(':', 2)[0]).Order().SequenceEqual(tags.Order())
            );
            var metadata = await _installation.Sandbox.GetAsync($"/api/v1/metrics/{metric}");
            metadata.GetProperty("type").GetString().ShouldBe(type, metric);
            (metadata.TryGetProperty("unit", out var known) ? known.GetString() : null).ShouldBe(unit, metric);
        }
        string[] titles =
        [
            "Plugin Loaded",
            "Session Created",
            "Session Terminated",
            "User Logged In",
            "User Logged Out",
            "User Created",
        ];
        foreach (var title in titles)
        {
            await Eventually.GetAsync(
                title,
                async () =>
                    (await _installation.Sandbox.EventsAsync(from, TimeProvider.System.GetUtcNow().AddMinutes(1)))
                        .EnumerateArray()
                        .Select(e => e.GetProperty("title").GetString())
                        .FirstOrDefault(t => t == title)
            );
        }
        (await _installation.Sandbox.GetAsync("/sandbox/dropped")).GetProperty("total").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task TheSpecsOwnCallIsAnsweredInTheSandboxAfterOneFlush()
    {
        using var body = new StringContent(
            """{"metric":"streamspace.custom.metric","value":42,"type":"gauge","tags":["custom:tag"]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var taken = await _installation.Http.PostAsync("/api/plugins/datadog/metrics", body);
        taken.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-5);
        var series = await Eventually.GetAsync(
            "the custom metric",
            async () =>
                await _installation.Sandbox.QueryAsync(
                    "avg:streamspace.custom.metric{custom:tag}",
                    from,
                    TimeProvider.System.GetUtcNow().AddMinutes(1)
                )
                    is [var found]
                    ? found
                    : null
        );
        series.Points[^1].Value.ShouldBe(42);
    }

    [Fact]
    public async Task TheSpecsConfigCallShowsTheSpecsFields()
    {
        using var answer = await _installation.Http.GetAsync("/api/plugins/datadog/config");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var config = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        config.GetProperty("enabled").GetBoolean().ShouldBeTrue();
        config.GetProperty("site").GetString().ShouldBe("sandbox");
        config.GetProperty("enableMetrics").GetBoolean().ShouldBeTrue();
        config.GetProperty("enableTraces").GetBoolean().ShouldBeTrue();
        config.GetProperty("metricsInterval").GetInt32().ShouldBe(10);
        config.TryGetProperty("apiKey", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task StoppingItFlushesWhatItHolds()
    {
        using var body = new StringContent(
            """{"metric":"the.last.word","value":7,"type":"count"}""",
            Encoding.UTF8,
            "application/json"
        );
        await using var judged = await Installation.StartWithJudgeAsync(new Dictionary<string, string>());
        using var taken = await judged.Http.PostAsync("/api/plugins/datadog/metrics", body);
        taken.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await judged.Host.TerminateAsync()).ShouldBe(0);
        var now = TimeProvider.System.GetUtcNow();
        var series = await judged.Sandbox.QueryAsync(
            "sum:the.last.word{*}.as_count()",
            now.AddMinutes(-5),
            now.AddMinutes(1)
        );
        series.Sum(s => s.Points.Sum(p => p.Value)).ShouldBe(7);
        await PayloadRules.HoldAsync(judged.Sandbox);
    }
}
