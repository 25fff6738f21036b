using System.Net;
using System.Text;
using AgentlessDatadog.Tests.Store;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>The real process on a real disk that is full for a while.</summary>
public sealed class FullDiskTests
{
    // A host refuses what is older than ids live; told again it is the same.
    private static readonly DateTimeOffset Told = TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task AFullDiskRefusesWhatMustBeKeptSaysSoAndTelemetryGoesOn()
    {
        using var disk = SmallDisk.TryMount(megabytes: 32);
        Assert.SkipWhen(disk is null, "The right to mount a file system is missing.");
        var from = TimeProvider.System.GetUtcNow();
        await using var installation = await StartWithOneMetricAsync(disk);

        disk.Fill();
        var refused = await PostMetricAsync(installation);
        refused.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Body.ShouldContain("full");
        refused.Body.ShouldNotContain(disk.Folder);
        var refusedUser = await PostUsersUntilRefusedAsync(installation);
        (await ReadyAsync(installation)).ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await installation.StatusAsync()).GetProperty("warnings").ToString().ShouldContain("memory alone");
        await TwoFlushesAsync(installation);

        disk.Empty();
        await Eventually.GetAsync(
            "the host to be ready again",
            async () => await ReadyAsync(installation) == HttpStatusCode.OK ? "ready" : null
        );
        (await PostMetricAsync(installation)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await PostUserAsync(installation, refusedUser)).ShouldBe(HttpStatusCode.Accepted);
        await installation.KillHostAsync();
        installation.StartHostAgain();
        await installation.Host.LineAsync("sign-in?code=");
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        (await SumAsync(installation, "disk.made", from)).ShouldBe(2);
        (await SumAsync(installation, "streamspace.user.created", from)).ShouldBe(refusedUser + 1);
    }

    [Fact]
    public async Task AKillWhileTheDiskIsFullMakesNothingCountTwice()
    {
        using var disk = SmallDisk.TryMount(megabytes: 32);
        Assert.SkipWhen(disk is null, "The right to mount a file system is missing.");
        var from = TimeProvider.System.GetUtcNow();
        await using var installation = await StartWithOneMetricAsync(disk);
        disk.Fill();
        var refusedUser = await PostUsersUntilRefusedAsync(installation);
        await TwoFlushesAsync(installation);

        await installation.KillHostAsync();
        disk.Empty();
        installation.StartHostAgain();
        await installation.Host.LineAsync("sign-in?code=");
        (await PostUserAsync(installation, refusedUser)).ShouldBe(HttpStatusCode.Accepted);
        (await installation.Host.TerminateAsync()).ShouldBe(0);
        (await SumAsync(installation, "disk.made", from)).ShouldBe(1);
        (await SumAsync(installation, "streamspace.user.created", from)).ShouldBe(refusedUser + 1);
    }

    private static async Task<Installation> StartWithOneMetricAsync(SmallDisk disk)
    {
        var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            Path.Combine(disk.Folder, "data"),
            []
        );
        await PutAsync(installation, """{"metricsInterval":10}""");
        (await PostMetricAsync(installation)).Status.ShouldBe(HttpStatusCode.Accepted);
        return installation;
    }

    private static Task<string> TwoFlushesAsync(Installation installation)
    {
        var full = TimeProvider.System.GetUtcNow();
        return Eventually.GetAsync(
            "two flushes while the disk is full",
            async () => await FlushesSinceAsync(installation, full) >= 2 ? "there" : null
        );
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostMetricAsync(Installation installation)
    {
        using var metric = Json("""{"metric":"disk.made","value":1,"type":"count"}""");
        using var answer = await installation.Http.PostAsync("/api/plugins/datadog/metrics", metric);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    // A file of a full disk may have room of its own: what fits into that is kept. Gives the number of the first that is not.
    private static async Task<int> PostUsersUntilRefusedAsync(Installation installation)
    {
        for (var number = 0; ; number++)
        {
            if (await PostUserAsync(installation, number) is var status and not HttpStatusCode.Accepted)
            {
                status.ShouldBe(HttpStatusCode.ServiceUnavailable);
                return number;
            }
        }
    }

    private static async Task<HttpStatusCode> PostUserAsync(Installation installation, int number)
    {
        using var body = Json(
            $$$"""{"event":"user.created","timestamp":"{{{Told:O}}}","data":{"user_id":"u-{{{number}}}","username":"ada-{{{number}}}"}}"""
        );
        using var answer = await installation.Http.PostAsync("/api/events", body);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> ReadyAsync(Installation installation)
    {
        using var answer = await installation.Http.GetAsync("/readyz");
        return answer.StatusCode;
    }

    private static async Task PutAsync(Installation installation, string config)
    {
        using var body = Json(config);
        using var answer = await installation.Http.PutAsync("/api/plugins/datadog/config", body);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<int> FlushesSinceAsync(Installation installation, DateTimeOffset since)
    {
        var to = TimeProvider.System.GetUtcNow();
        var series = await installation.Sandbox.QueryAsync(
            "max:streamspace.datadog.series{*}.rollup(max, 1)",
            since.AddMinutes(-1),
            to
        );
        return series.SelectMany(s => s.Points).Count(p => p.Second > since.ToUnixTimeSeconds());
    }

    private static async Task<double> SumAsync(Installation installation, string metric, DateTimeOffset from) =>
        (
            await installation.Sandbox.QueryAsync(
                $"sum:{metric}{{*}}.as_count()",
                from,
                TimeProvider.System.GetUtcNow().AddMinutes(1)
            )
        ).Sum(s => s.Points.Sum(p => p.Value));

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
