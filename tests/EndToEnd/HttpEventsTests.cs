using System.Net;
using System.Text;
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
            new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = "whsec_of-the-test" }
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

    private static string Event(string kind, DateTimeOffset at, string session, string template) =>
        $$$"""{"event":"{{{kind}}}","timestamp":"{{{at:O}}}","data":{"id":"{{{session}}}","user_id":"ada","template_name":"{{{template}}}"}}""";

    private static async Task<HttpStatusCode> PostAsync(Installation installation, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await installation.Http.PostAsync("/api/events", content);
        return answer.StatusCode;
    }
}
