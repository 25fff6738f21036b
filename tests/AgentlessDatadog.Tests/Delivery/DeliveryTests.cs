using System.Collections.Concurrent;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class DeliveryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task TheLedgerBalancesWhateverTheFarEndAnswers(int seed)
    {
        await using var rig = await Rig.StartAsync();
        var random = new Random(seed);
        var accepted = new ConcurrentDictionary<string, int>();
        var rejected = new ConcurrentDictionary<string, int>();
        var trouble = true;
        rig.FarEnd.Answer = request =>
        {
            int draw;
            lock (random)
            {
                draw = trouble ? random.Next(9) : 0;
            }

            if (request.Method == "GET")
            {
                return new FarEndAnswer(200, """{"valid":true}""");
            }

            if (draw <= 2)
            {
                accepted.AddOrUpdate(request.Path, 1, (_, n) => n + 1);
            }

            if (draw == 3)
            {
                rejected.AddOrUpdate(request.Path, 1, (_, n) => n + 1);
            }

            return draw switch
            {
                <= 2 => FarEndAnswer.Accepted,
                3 => new FarEndAnswer(400, """{"errors":["bad"]}"""),
                4 => new FarEndAnswer(403, """{"errors":["Forbidden"]}"""),
                5 => new FarEndAnswer(429, """{"errors":["slow"]}""") { Headers = { ["Retry-After"] = "3" } },
                6 => new FarEndAnswer(500, "oh"),
                7 => new FarEndAnswer(200, "<html>", "text/html"),
                _ => new FarEndAnswer(null),
            };
        };
        for (var round = 0; round < 25; round++)
        {
            await rig.KeepAsync(
                Some.Gauge(value: round),
                Some.Count(value: 1),
                Some.Distribution(value: round),
                Some.Log(rig.Clock.GetUtcNow()),
                Some.Span(rig.Clock.GetUtcNow()),
                new DatadogEvent($"Round {round}", "", rig.Clock.GetUtcNow())
            );
            await rig.FlushAsync();
            await rig.Until(() => rig.IsQuiet);
            foreach (var lane in Lane.All)
            {
                rig.Ledger(lane).ShouldBalance();
            }
        }
        trouble = false;
        await rig.UntilSent(step: TimeSpan.FromSeconds(1));

        foreach (
            var (lane, path, units, total) in new[]
            {
                (Lane.Metrics, "/api/v2/series", 2, 50),
                (Lane.Distributions, "/api/v1/distribution_points", 1, 25),
                (Lane.Events, "/api/v1/events", 1, 25),
                (Lane.Logs, "/api/v2/logs", 1, 25),
                (Lane.Traces, "/v1/traces", 1, 25),
            }
        )
        {
            var ledger = rig.Ledger(lane);
            ledger.ShouldBalance();
            ledger.Accepted.ShouldBe(total);
            ledger.Queued.ShouldBe(0);
            ledger.Delivered.ShouldBe(units * accepted.GetValueOrDefault(path));
            ledger.Rejected.ShouldBe(units * rejected.GetValueOrDefault(path));
        }
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task ARefusedKeyParksDropsNothingAndGoesOnWithin30SecondsOfTheMending()
    {
        await using var rig = await Rig.StartAsync();
        var refused = true;
        rig.FarEnd.Answer = request =>
            refused ? new FarEndAnswer(403, """{"errors":["Forbidden"]}""")
            : request.Method == "GET" ? new FarEndAnswer(200, """{"valid":true}""")
            : FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Metrics).State == LaneState.Parked);
        rig.Lane(Lane.Metrics).LastError.ShouldNotBeNull().ShouldContain("403 Forbidden");
        rig.Lane(Lane.Events).State.ShouldBe(LaneState.Open);

        await rig.Until(() => rig.FarEnd.Requests.Count(r => r.Method == "GET") == 2, TimeSpan.FromSeconds(1));
        rig.FarEnd.Requests.Count(r => r.Method == "POST").ShouldBe(1);
        rig.Ledger(Lane.Metrics).Queued.ShouldBe(rig.Ledger(Lane.Metrics).Accepted);

        refused = false;
        var mended = rig.Clock.GetUtcNow();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        (rig.Clock.GetUtcNow() - mended).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(31));
        rig.Ledger(Lane.Metrics).Delivered.ShouldBe(rig.Ledger(Lane.Metrics).Accepted);
    }

    [Fact]
    public async Task ANewKeyEndsAParkAtOnce()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null });
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Metrics).State == LaneState.Parked);
        rig.Lane(Lane.Metrics).LastError.ShouldBe("no API key is set");
        rig.FarEnd.Requests.ShouldBeEmpty();
        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.UntilSent();
    }

    [Fact]
    public async Task EventsGoEightAtATimeAndAfterAFailureAlone()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(503);
        await rig.KeepAsync([
            .. Enumerable.Range(0, 10).Select(i => new DatadogEvent($"Told {i}", "", rig.Clock.GetUtcNow())),
        ]);
        foreach (var requests in new[] { 8, 9, 10 })
        {
            await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
            rig.FarEnd.Requests.Count.ShouldBe(requests);
            await rig.Until(() => rig.FarEnd.Requests.Count > requests, TimeSpan.FromSeconds(1));
        }
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.Ledger(Lane.Events).ShouldBe(10, delivered: 10);
    }

    [Fact]
    public async Task AParkedLaneGoesOnWithOneRequestAlone()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r =>
            r.Method == "GET"
                ? new FarEndAnswer(200, """{"valid":true}""")
                : new FarEndAnswer(403, """{"errors":["Forbidden"]}""");
        await rig.KeepAsync([
            .. Enumerable.Range(0, 10).Select(i => new DatadogEvent($"Told {i}", "", rig.Clock.GetUtcNow())),
        ]);
        foreach (var requests in new[] { 8, 9, 10 })
        {
            await rig.Until(() => rig.Lane(Lane.Events) is { State: LaneState.Parked } && rig.IsQuiet);
            Posts().ShouldBe(requests);
            await rig.Until(() => Posts() > requests, TimeSpan.FromSeconds(1));
        }

        int Posts() => rig.FarEnd.Requests.Count(r => r.Method == "POST");
    }

    [Fact]
    public async Task OneLanesTroubleIsNotAnothers()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => r.Path == "/api/v1/events" ? new FarEndAnswer(503) : FarEndAnswer.Accepted;
        await rig.KeepAsync([Some.Count()], [new("Told", "", rig.Clock.GetUtcNow())]);
        await rig.FlushAsync();
        await rig.Until(() => rig.Ledger(Lane.Metrics).Delivered == 1);
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        rig.Ledger(Lane.Events).ShouldBe(1, queued: 1);
    }

    [Fact]
    public async Task ADayOf500sCostsFewRequestsAndExpiresWithAReason()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(500);
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => Lane.All.All(lane => rig.Ledger(lane).Expired == 1), TimeSpan.FromSeconds(120));
        rig.Ledger(Lane.Metrics).Reasons.ShouldContainKey("too old for Datadog");
        // A wait of 32 to 64 s after the first few: at most 1 h / 32 s for points and 18 h / 32 s for the rest.
        rig.FarEnd.Requests.Count.ShouldBeLessThan((2 * 3600 / 32) + (3 * 18 * 3600 / 32) + 50);
    }

    [Fact]
    public async Task AFullQueueExpiresTheOldest()
    {
        await using var rig = await Rig.StartAsync(o => o with { QueueMaxBytes = 1500, ApiKey = null });
        for (var i = 0; i < 50; i++)
        {
            await rig.KeepAsync(new DatadogEvent($"Told {i}", "", rig.Clock.GetUtcNow()));
        }

        await rig.Until(() => rig.Pipeline.Status.Queue.Bytes <= 1500);
        rig.Ledger(Lane.Events).ShouldBalance();
        rig.Ledger(Lane.Events).Reasons["queue full"].ShouldBeGreaterThan(30);

        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.UntilSent();
        rig.FarEnd.Requests.Count(r => System.Text.Encoding.UTF8.GetString(r.Body).Contains("Told 49")).ShouldBe(1);
        rig.FarEnd.Requests.ShouldNotContain(r => System.Text.Encoding.UTF8.GetString(r.Body).Contains("Told 0\""));
    }

    [Fact]
    public async Task ARejectedRequestIsSetAsideWithTheServersWords()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(400, """{"errors":["Event too far in the past"]}""", "text/plain");
        await rig.KeepAsync(new DatadogEvent("Told", "", rig.Clock.GetUtcNow()));
        await rig.UntilSent();
        rig.Ledger(Lane.Events).ShouldBe(1, rejected: 1);
        rig.Ledger(Lane.Events).Reasons.ShouldContainKey("400 Bad Request: Event too far in the past");
    }

    [Fact]
    public async Task AnAnswerThatNeverComesIsWaitedForNoLongerThan20Seconds()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new(202) { Fault = FarEndFault.Stall };
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.Until(() => rig.FarEnd.Held == 1);
        rig.Clock.Advance(TimeSpan.FromSeconds(19));
        rig.Lane(Lane.Metrics).State.ShouldBe(LaneState.Open);
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await rig.Until(() => rig.Lane(Lane.Metrics).State == LaneState.BackingOff);
        rig.Lane(Lane.Metrics).LastError.ShouldBe("no answer within 20 s");
        rig.Lane(Lane.Metrics).LastErrorAt.ShouldBe(rig.Clock.GetUtcNow());
        rig.FarEnd.Answer = _ => FarEndAnswer.Accepted;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        (rig.Lane(Lane.Metrics).LastError, rig.Lane(Lane.Metrics).LastErrorAt).ShouldBe((null, null), "it is over");
    }

    [Theory]
    [InlineData(200, """{"valid":true}""", KeyState.Valid)]
    [InlineData(403, """{"errors":["Forbidden"]}""", KeyState.Refused)]
    [InlineData(200, "<html>", KeyState.NotDatadog)]
    [InlineData(500, "", KeyState.Unknown)]
    [InlineData(null, "", KeyState.Unknown)]
    public async Task AKeyCheckTellsTheCasesApart(int? status, string body, KeyState state)
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(status, body);
        (await rig.CheckKeyAsync()).State.ShouldBe(state);
        rig.FarEnd.Requests.ShouldAllBe(r => r.Path == "/api/v1/validate" && r.Key == Secret.ApiKey);
    }

    [Fact]
    public async Task TheKeyIsNeitherLoggedNorShownNorThrown()
    {
        var log = new SearchedLog();
        await using var rig = await Rig.StartAsync(log: log);
        rig.FarEnd.Answer = r => new FarEndAnswer(
            403,
            $$"""{"errors":["no {{r.Key}}, {{r.Key!.ToUpperInvariant()}}"]}"""
        );
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Metrics).State == LaneState.Parked);
        var verdict = await rig.CheckKeyAsync();
        var shown = $"{log.Text} {rig.Options} {rig.Lane(Lane.Metrics)} {verdict}";
        shown.ShouldContain("[API key]");
        shown.ShouldNotContain(Secret.ApiKey, Case.Insensitive);
    }
}
