using System.Net;
using System.Text;
using System.Text.Json;
using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

public sealed class HttpEventsTests
{
    [Fact]
    public async Task TenThousandEventsRepeatedAndShuffledAreCountedExactly()
    {
        const int sessions = 4_800;
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret }
        );
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        var chance = new Random(3);
        var begun = TimeProvider.System.GetUtcNow().AddMinutes(-2);
        var events = new List<string>();
        var ended = 0;
        for (var i = 0; i < sessions; i++)
        {
            events.Add(Event("session.created", begun.AddMilliseconds(i), $"s-{i}", $"t{i % 3}"));
            if (i % 24 != 0)
            {
                ended++;
                events.Add(Event("session.terminated", begun.AddSeconds(60).AddMilliseconds(i), $"s-{i}", $"t{i % 3}"));
            }
        }
        for (var i = 0; i < 600; i++)
        {
            events.Add(
                $$$"""{"event":"user.login","timestamp":"{{{begun.AddSeconds(i % 60):O}}}","data":{"username":"u{{{i}}}"}}"""
            );
        }
        events.Count.ShouldBeGreaterThanOrEqualTo(10_000);
        var sent = events.Concat(events.Take(3_000)).OrderBy(_ => chance.Next()).ToList();

        foreach (var single in sent.Take(300))
        {
            (await PostAsync(installation, single)).ShouldBe(HttpStatusCode.Accepted);
        }
        foreach (var batch in sent.Skip(250).Chunk(500))
        {
            (await PostAsync(installation, $$"""{"events":[{{string.Join(',', batch)}}]}""")).ShouldBe(
                HttpStatusCode.Accepted
            );
        }
        var told = TimeProvider.System.GetUtcNow();
        await Eventually.GetAsync(
            "a flush of all of it",
            async () =>
                (await installation.StatusAsync()).GetProperty("lastFlush") is { ValueKind: JsonValueKind.Object } flush
                && flush.GetProperty("at").GetDateTimeOffset() > told.AddSeconds(1)
                    ? "made"
                    : null
        );
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        var to = TimeProvider.System.GetUtcNow().AddMinutes(1);
        (await SumAsync("streamspace.session.created")).ShouldBe(sessions);
        (await SumAsync("streamspace.session.terminated")).ShouldBe(ended);
        (await SumAsync("streamspace.user.login")).ShouldBe(600);
        var active = await installation.Sandbox.QueryAsync(
            "sum:streamspace.session.active{*}.rollup(max, 1)",
            from,
            to
        );
        active.Single().Points[^1].Value.ShouldBe(sessions - ended);

        async Task<double> SumAsync(string metric) =>
            (await installation.Sandbox.QueryAsync($"sum:{metric}{{*}}.as_count()", from, to)).Sum(s =>
                s.Points.Sum(p => p.Value)
            );
    }

    [Fact]
    public async Task EveryKindOfEventBecomesItsMetric()
    {
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret }
        );
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        var at = TimeProvider.System.GetUtcNow().AddSeconds(-30);
        string[] told =
        [
            .. new[] { "used", "asleep", "broken", "ended", "awake" }.Select(s => Session("created", s)),
            .. new[] { "used", "asleep", "ended", "awake" }.Select(s => Session("started", s)),
            .. new[] { "asleep", "awake" }.Select(s => Session("hibernated", s)),
            Session("woken", "awake"),
            Session("failed", "broken"),
            Session("terminated", "ended"),
            Session("heartbeat", "used", ""","cpu_usage":42.5,"memory_usage":1073741824,"storage_usage":4096"""),
            .. new[] { "created", "login", "logout", "deleted" }.Select(User),
        ];
        foreach (var each in told)
        {
            (await PostAsync(installation, each)).ShouldBe(HttpStatusCode.Accepted, each);
        }
        (await installation.Host.TerminateAsync()).ShouldBe(0);

        (await LastAsync("streamspace.session.cpu_usage{session:used}")).ShouldBe(42.5);
        (await LastAsync("streamspace.session.memory_usage{session:used}")).ShouldBe(1_073_741_824);
        (await LastAsync("streamspace.session.storage_usage{session:used}")).ShouldBe(4_096);
        (await LastAsync("streamspace.sessions.total{state:running}")).ShouldBe(2);
        (await LastAsync("streamspace.sessions.total{state:hibernated}")).ShouldBe(1);
        (await SumAsync("session.created")).ShouldBe(5);
        (await SumAsync("session.terminated")).ShouldBe(1);
        (await SumAsync("session.failed")).ShouldBe(1);
        (await SumAsync("user.created")).ShouldBe(1);
        (await SumAsync("user.login")).ShouldBe(1);
        (await SumAsync("user.logout")).ShouldBe(1);

        string Session(string kind, string id, string more = "") =>
            $$$"""{"event":"session.{{{kind}}}","timestamp":"{{{Next():O}}}","data":{"id":"{{{id}}}","user_id":"ada","template_name":"t"{{{more}}}}}""";

        string User(string kind) =>
            $$$"""{"event":"user.{{{kind}}}","timestamp":"{{{Next():O}}}","data":{"username":"ada"}}""";

        DateTimeOffset Next() => at = at.AddMilliseconds(100);

        async Task<double> LastAsync(string metric) =>
            (await QueryAsync($"sum:{metric}.rollup(max, 1)")).Single().Points[^1].Value;

        async Task<double> SumAsync(string metric) =>
            (await QueryAsync($"sum:streamspace.{metric}{{*}}.as_count()")).Sum(s => s.Points.Sum(p => p.Value));

        Task<IReadOnlyList<QueriedSeries>> QueryAsync(string query) =>
            installation.Sandbox.QueryAsync(query, from, TimeProvider.System.GetUtcNow().AddMinutes(1));
    }

    private static string Event(string kind, DateTimeOffset at, string session, string template) =>
        $$$"""{"event":"{{{kind}}}","timestamp":"{{{at:O}}}","data":{"id":"{{{session}}}","user_id":"ada","template_name":"{{{template}}}"}}""";

    private static async Task<HttpStatusCode> PostAsync(Installation installation, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await installation.Http.PostAsync("/api/events", content);
        return answer.StatusCode;
    }
}
