using System.Net;
using System.Text;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>The real process, whose files somebody takes away while it runs, and which is killed then.</summary>
public sealed class RemovedFilesTests
{
    private const int Each = 40;

    // A host refuses what is older than ids live; told again it is the same.
    private static readonly DateTimeOffset Told = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("streamspace-datadog/telemetry.db")]
    [InlineData("streamspace-datadog/telemetry.db-wal")]
    [InlineData("host.db")]
    [InlineData("host.db-wal")]
    [InlineData("streamspace-datadog")]
    [InlineData("")]
    public async Task WhatWasAcknowledgedArrivesExactlyOnceThoughItsFilesAreRemovedAndTheProcessIsKilled(string what)
    {
        var from = TimeProvider.System.GetUtcNow();
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            data,
            []
        );
        // Its key is among the files.
        await installation.SignInAsync();
        // So that what is acknowledged waits in the files.
        using (var config = Json("""{"metricsInterval":300}"""))
        {
            (await installation.Http.PutAsync("/api/plugins/datadog/config", config)).EnsureSuccessStatusCode();
        }
        await KeepAsync(installation, "before");

        var path = Path.Combine(data, what);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
        await KeepAsync(installation, "after");
        await Eventually.GetAsync(
            "the host to be ready, and to say what happened",
            async () =>
            {
                using var ready = await installation.Http.GetAsync("/readyz");
                var said = await installation.Http.GetStringAsync("/api/status");
                said += await installation.Http.GetStringAsync("/api/plugins/datadog/status");
                return ready.StatusCode == HttpStatusCode.OK && said.Contains("written anew under its name")
                    ? said
                    : null;
            }
        );
        await installation.KillHostAsync();
        installation.StartHostAgain();
        await installation.Host.LineAsync("sign-in?code=");

        (await installation.Http.GetStringAsync("/api/plugins/datadog/config")).ShouldContain(
            "\"metricsInterval\":300"
        );
        (await installation.Host.TerminateAsync()).ShouldBe(0);
        (await SumAsync(installation, "removed.made", from)).ShouldBe(2 * Each);
        (await SumAsync(installation, "streamspace.user.created", from)).ShouldBe(2 * Each);
    }

    // Each by a name of its own, until it is acknowledged.
    private static async Task KeepAsync(Installation installation, string when)
    {
        for (var i = 0; i < Each; i++)
        {
            var id = $"{when}-{i}";
            await UntilAcceptedAsync(() =>
            {
                var metric = new HttpRequestMessage(HttpMethod.Post, "/api/plugins/datadog/metrics")
                {
                    Content = Json("""{"metric":"removed.made","value":1,"type":"count"}"""),
                };
                metric.Headers.Add("Idempotency-Key", id);
                return metric;
            });
            await UntilAcceptedAsync(() =>
                new HttpRequestMessage(HttpMethod.Post, "/api/events")
                {
                    Content = Json(
                        $$$"""{"event":"user.created","timestamp":"{{{Told:O}}}","data":{"user_id":"{{{id}}}","username":"{{{id}}}"}}"""
                    ),
                }
            );
        }

        Task UntilAcceptedAsync(Func<HttpRequestMessage> request) =>
            Eventually.GetAsync(
                "an acknowledgement",
                async () =>
                {
                    using var message = request();
                    using var answer = await installation.Http.SendAsync(message);
                    answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Accepted, HttpStatusCode.ServiceUnavailable);
                    return answer.StatusCode == HttpStatusCode.Accepted ? "accepted" : null;
                }
            );
    }

    private static async Task<double> SumAsync(Installation installation, string metric, DateTimeOffset from) =>
        (
            await installation.Sandbox.QueryAsync(
                $"sum:{metric}{{*}}.as_count()",
                from,
                TimeProvider.System.GetUtcNow().AddMinutes(6)
            )
        ).Sum(s => s.Points.Sum(p => p.Value));

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
