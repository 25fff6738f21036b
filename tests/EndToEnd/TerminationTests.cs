using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

public sealed class TerminationTests
{
    [Fact]
    public async Task ASigtermSendsWhatNoFlushHasTakenAndEndsInTime()
    {
        // The keys come by the API, so that they are in the store.
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["DD_API_KEY"] = "", ["DD_APP_KEY"] = "" }
        );
        var from = TimeProvider.System.GetUtcNow();
        await SendAsync(
            HttpMethod.Put,
            "/api/plugins/datadog/config",
            $$"""{"metricsInterval":300,"apiKey":"{{Secret.ApiKey}}","appKey":"{{Secret.AppKey}}"}"""
        );
        await SendAsync(
            HttpMethod.Post,
            "/api/plugins/datadog/metrics",
            """{"series":[{"metric":"end.made","value":3,"type":"count"},{"metric":"end.took","value":5,"type":"distribution"}]}"""
        );
        // What was sent at the end is told in a flush of its own, where a second is free for it.
        await Eventually.GetAsync(
            "a second after the last flush",
            async () => await LastFlushAsync() < TimeProvider.System.GetUtcNow().AddSeconds(-2) ? "there" : null
        );
        // Waits for at most 20 s: the deadline of a flush is 10.
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(1);
        (await SumAsync("sum:end.made{*}.as_count()")).ShouldBe(3);
        (await SumAsync("sum:end.took{*}.as_count()")).ShouldBe(5);
        var accepted = await SumAsync("sum:streamspace.datadog.accepted{lane:distributions}.as_count()");
        accepted.ShouldBeGreaterThan(0);
        (await SumAsync("sum:streamspace.datadog.delivered{lane:distributions}.as_count()")).ShouldBe(accepted);
        (await installation.Sandbox.EventsAsync(from, to)).ToString().ShouldContain("Plugin Unloaded");

        async Task<double> SumAsync(string query) =>
            (await installation.Sandbox.QueryAsync(query, from, to)).Sum(s => s.Points.Sum(p => p.Value));

        async Task<DateTimeOffset> LastFlushAsync() =>
            (await installation.StatusAsync()).GetProperty("lastFlush") is { ValueKind: JsonValueKind.Object } flush
                ? flush.GetProperty("at").GetDateTimeOffset()
                : DateTimeOffset.MinValue;

        async Task SendAsync(HttpMethod method, string path, string text)
        {
            using var body = new StringContent(text, Encoding.UTF8, "application/json");
            using var request = new HttpRequestMessage(method, path) { Content = body };
            using var answer = await installation.Http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task AFarEndThatIsAwayHoldsUpTheEndForNoLongerThanTheDeadlineAndAllIsPutAway()
    {
        var data = TestRun.NewFolder();
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["LOGS_DIRECTORY"] = TestRun.NewFolder() },
            data,
            []
        );
        var log = (await installation.StatusAsync()).GetProperty("log").GetString()!;
        await installation.StopJudgeAsync();
        using var body = new StringContent(
            """{"metric":"end.made","value":3,"type":"count"}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await installation.Http.PostAsync("/api/plugins/datadog/metrics", body);
        answer.EnsureSuccessStatusCode();
        // Waits for at most 20 s: the deadline of a flush is 10.
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var said = await File.ReadAllTextAsync(log);
        said.ShouldContain("Telemetry pipeline stopped");
        said.ShouldNotContain("did not unload as it should");
        File.Exists(Path.Combine(data, "streamspace-datadog", "telemetry.db")).ShouldBeTrue();
        File.Exists(Path.Combine(data, "streamspace-datadog", "telemetry.db-wal")).ShouldBeFalse();
    }
}
