using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>The real process, killed with something in each of its files, some of which are gone when it starts again.</summary>
public sealed class LostFilesTests
{
    // A host refuses what is older than ids live; told again it is the same.
    private static readonly DateTimeOffset Created = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("host.db", "sent 2, kept 1, new 1", "host.db is missing, though streamspace-datadog kept data", null)]
    [InlineData("telemetry.db", "sent 1, waiting 1, new 1", null, "telemetry.db was there")]
    [InlineData("host.db telemetry.db", "sent 2, new 1", null, null)]
    public async Task WhatIsTrueAfterALossIsWhatTheDocumentSays(
        string lost,
        string counted,
        string? ofHost,
        string? told
    )
    {
        var from = TimeProvider.System.GetUtcNow();
        var data = Path.Combine(TestRun.NewFolder(), "data");
        var plugin = Path.Combine(data, "streamspace-datadog");
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            data,
            []
        );
        // No flush but that of a change of tags and that of an end.
        await ConfigureAsync(installation, """{"metricsInterval":300}""");
        await TellAsync(installation, "sent");
        await BehindAsync(installation, 0);
        await ConfigureAsync(installation, """{"globalTags":["turn:two"]}""");
        await Eventually.GetAsync(
            "what was flushed",
            async () => (await UsersAsync(installation, from)).ContainsKey("sent") ? "there" : null
        );

        await TellAsync(installation, "kept");
        await BehindAsync(installation, 0);
        // While something else has its file's name, the plugin can keep nothing.
        var (file, aside) = (Path.Combine(plugin, "telemetry.db"), Path.Combine(plugin, "aside"));
        File.Move(file, aside);
        Directory.CreateDirectory(file);
        await TellAsync(installation, "waiting");
        await BehindAsync(installation, 1);
        await installation.KillHostAsync();
        Directory.Delete(file);
        File.Move(aside, file);

        foreach (var name in lost.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (var gone in Directory.GetFiles(data, $"{name}*", SearchOption.AllDirectories))
            {
                File.Delete(gone);
            }
        }
        installation.StartHostAgain();
        await installation.Host.LineAsync("sign-in?code=");
        var status = await JsonSerializer.DeserializeAsync<JsonElement>(
            await installation.Http.GetStreamAsync("/api/status")
        );
        ShouldSay(status.GetProperty("storeDamage").GetString(), ofHost);
        ShouldSay(status.GetProperty("plugins")[0].GetProperty("missing").GetString(), told);
        // Its sender cannot know what became of it, and repeats it.
        await TellAsync(installation, "sent");
        await TellAsync(installation, "new");
        await BehindAsync(installation, 0);
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        (await UsersAsync(installation, from)).ShouldBe(
            counted
                .Split(", ")
                .Select(one => one.Split(' '))
                .ToDictionary(one => one[0], one => double.Parse(one[1], CultureInfo.InvariantCulture)),
            ignoreOrder: true
        );
    }

    private static async Task<Dictionary<string, double>> UsersAsync(Installation installation, DateTimeOffset from) =>
        (
            await installation.Sandbox.QueryAsync(
                "sum:streamspace.user.created{*} by {user}.as_count()",
                from,
                TimeProvider.System.GetUtcNow().AddMinutes(6)
            )
        ).ToDictionary(s => s.Tags.Single()["user:".Length..], s => s.Points.Sum(p => p.Value));

    private static async Task ConfigureAsync(Installation installation, string config)
    {
        using var content = Json(config);
        using var answer = await installation.Http.PutAsync("/api/plugins/datadog/config", content);
        answer.EnsureSuccessStatusCode();
    }

    private static void ShouldSay(string? said, string? expected)
    {
        if (expected is null)
        {
            said.ShouldBeNull();
        }
        else
        {
            said.ShouldNotBeNull().ShouldContain(expected);
        }
    }

    private static async Task TellAsync(Installation installation, string user)
    {
        using var body = Json(
            $$$"""{"event":"user.created","timestamp":"{{{Created:O}}}","data":{"user_id":"{{{user}}}","username":"{{{user}}}"}}"""
        );
        using var answer = await installation.Http.PostAsync("/api/events", body);
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    private static Task BehindAsync(Installation installation, int facts) =>
        Eventually.GetAsync(
            $"{facts} facts that the plugin has not",
            async () =>
            {
                var feed = (await installation.StatusAsync()).GetProperty("feed");
                // A fact that it may be about to take does not wait.
                return
                    feed.GetProperty("behind").GetInt64() == facts
                    && feed.GetProperty("error").ValueKind is JsonValueKind.Null == (facts == 0)
                    ? "so"
                    : null;
            }
        );

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
