using System.IO.Compression;
using System.Text;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;
using ZstdSharp;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>Whatever the far end does to one lane, it costs few requests, nothing that was accepted, and no other lane.</summary>
public sealed class MisbehavingFarEndTests
{
    private const string Forbidden = """{"errors":["Forbidden"]}""";
    private static readonly TimeSpan Trouble = TimeSpan.FromMinutes(5);
    private static readonly FarEndAnswer Valid = new(200, """{"valid":true}""");

    // What the lane is answered, what a question about the key is, and how many requests five minutes of it may cost:
    // waits of 3, 6, 12, 24 and then 48 s (48 s are the middle of 32 to 64 s), each behind a time-out where there is one;
    // a parked lane asks about its key when it is parked and every 30 s, and where the key is good sends a probe as well.
    private static readonly Dictionary<string, (FarEndAnswer Lane, FarEndAnswer Key, int Requests)> Faults = new()
    {
        ["a key that is refused"] = (new(403, Forbidden), new(403, Forbidden), 12),
        ["a product that is refused"] = (new(403, Forbidden), Valid, 33),
        ["a key that is not read"] = (new(401, """{"errors":["Unauthorized"]}"""), new(401, Forbidden), 12),
        ["a proxy's page"] = (Page(200), Page(200), 22),
        ["a proxy's page for a fault"] = (Page(502), Page(502), 10),
        ["a 202 that is not JSON"] = (new(202, "Accepted", "text/plain"), Valid, 22),
        ["a redirect"] = (new(302, "") { Headers = { ["Location"] = "https://127.0.0.1/" } }, Valid, 22),
        ["a 429"] = (new(429, """{"errors":["slow"]}"""), Valid, 10),
        ["a 429 with Retry-After"] = (new(429) { Headers = { ["Retry-After"] = "100" } }, Valid, 4),
        ["a 429 with X-RateLimit-Reset"] = (new(429) { Headers = { ["X-RateLimit-Reset"] = "100" } }, Valid, 4),
        ["a 500"] = (new(500, "oh"), Valid, 10),
        ["a 408"] = (new(408, ""), Valid, 10),
        ["a cut after the body"] = (new(null), Valid, 10),
        ["a cut in the answer"] = (new(202) { Fault = FarEndFault.Cut }, Valid, 10),
        ["a stall"] = (new(202) { Fault = FarEndFault.Stall }, Valid, 8),
        ["a slow drip"] = (new(202) { Fault = FarEndFault.Drip }, Valid, 8),
    };

    public static TheoryData<string, string> EveryFaultOnEveryLane() =>
        new(from fault in Faults.Keys from lane in Lane.All select (fault, lane.Name));

    [Theory]
    [MemberData(nameof(EveryFaultOnEveryLane))]
    public async Task ALaneInTroubleLosesNothingAsksLittleAndStopsNoOther(string fault, string name)
    {
        var lane = Lane.Named(name);
        var (answer, key, bound) = Faults[fault];
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r =>
            r.Path == lane.Path ? answer
            : r.Method == "GET" ? key
            : FarEndAnswer.Accepted;
        var others = Lane.All.Where(other => other != lane).ToList();
        await KeepOnEveryLaneAsync(rig);
        // Before the clock goes on, which would be their time-out.
        await rig.Until(() => others.TrueForAll(other => rig.Ledger(other).Delivered == 1));
        await DriveAsync(rig, lane);

        others.ForEach(other => rig.Ledger(other).ShouldBe(1, delivered: 1));
        rig.Ledger(lane).ShouldBe(1, queued: 1);
        rig.FarEnd.Requests.Count(r => !others.Exists(other => r.Path == other.Path)).ShouldBeInRange(3, bound);
        rig.Lane(lane).State.ShouldNotBe(LaneState.Open);
        rig.Lane(lane).LastError.ShouldNotBeNullOrEmpty();

        var wasParked = rig.Lane(lane).State == LaneState.Parked;
        rig.FarEnd.Answer = r => r.Method == "GET" ? Valid : FarEndAnswer.Accepted;
        await KeepOnEveryLaneAsync(rig);
        var mended = rig.Clock.GetUtcNow();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        foreach (var each in Lane.All)
        {
            rig.Ledger(each).ShouldBe(2, delivered: 2);
        }
        // Within 30 s of the mending where it was parked; else the longest wait that was asked for.
        (rig.Clock.GetUtcNow() - mended).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(wasParked ? 31 : 102));
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    public static TheoryData<string> EveryLane() => new(Lane.All.Select(lane => lane.Name));

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task WhatIsAnsweredWithErrorsBehindA202IsRejectedInTheServersWordsAndNotSentAgain(string name)
    {
        var lane = Lane.Named(name);
        await using var rig = await Rig.StartAsync();
        // One that speaks of an encoding behind a 400 would be sent again in the next.
        rig.FarEnd.Answer = r =>
            r.Path == lane.Path ? new(202, """{"errors":["encoding of tags"]}""") : FarEndAnswer.Accepted;
        await KeepOnEveryLaneAsync(rig);
        await rig.UntilSent();

        rig.Ledger(lane).ShouldBe(1, rejected: 1);
        rig.Ledger(lane).Reasons.ShouldContainKeyAndValue("202 Accepted: encoding of tags", 1);
        rig.Lane(lane).LastError.ShouldBe("202 Accepted: encoding of tags");
        rig.Lane(lane).State.ShouldBe(LaneState.Open);
        rig.FarEnd.Requests.Count(r => r.Path == lane.Path).ShouldBe(1);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("gzip, br")]
    public async Task AnAnswerInACodingThatNobodyAskedForIsRead(string codings)
    {
        await using var rig = await Rig.StartAsync();
        var (refusal, huge) = (Coded(codings, Forbidden), Coded(codings, "[" + new string(' ', 50_000_000)));
        rig.FarEnd.Answer = r =>
            r.Method == "GET" ? Answer(403, refusal)
            : r.Path == Lane.Events.Path ? Answer(403, refusal)
            : r.Path == Lane.Logs.Path ? Answer(202, huge)
            : Answer(202, Coded(codings, "{}"));
        await KeepOnEveryLaneAsync(rig);
        await rig.Until(() => rig.Lane(Lane.Events).ParkReason == ParkReason.KeyUnknown);
        rig.Lane(Lane.Events).LastError.ShouldNotBeNull().ShouldContain("Forbidden");
        // No more of it is unpacked than is looked at.
        await rig.Until(() => rig.Lane(Lane.Logs).ParkReason is not null);
        await rig.Until(() => rig.Ledger(Lane.Traces).Delivered == 1 && rig.Ledger(Lane.Metrics).Delivered == 1);

        FarEndAnswer Answer(int status, byte[] body) =>
            new(status, body) { Headers = { ["Content-Encoding"] = codings } };
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task AnAnswerThatIsNotInTheCodingThatItNamesIsATornOne(string coding)
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(202) { Headers = { ["Content-Encoding"] = coding } };
        await KeepOnEveryLaneAsync(rig);
        await rig.Until(() => rig.Lane(Lane.Events).State == LaneState.BackingOff);
        rig.Lane(Lane.Events).LastError.ShouldBe($"202 Accepted: the answer's body is not {coding}");
    }

    [Theory]
    [InlineData(500)]
    [InlineData(403)]
    public async Task WhatADayOfTroubleLeavesWaitingStaysWithinItsRoomAndTheLedgerBalances(int status)
    {
        const int room = 200_000;
        await using var rig = await Rig.StartAsync(o => o with { QueueMaxBytes = room });
        rig.FarEnd.Answer = _ => new FarEndAnswer(status, Forbidden);
        var text = new string('x', 1000);
        for (var i = 0; i < 24 * 12; i++)
        {
            var now = rig.Clock.GetUtcNow();
            DatadogEvent[] events = [.. Enumerable.Range(0, 10).Select(_ => new DatadogEvent("Told", text, now))];
            await rig.KeepAsync([Some.Count(), Some.Distribution(), Some.Log(now), Some.Span(now), .. events]);
            await rig.FlushAsync();
            await rig.Until(() => rig.Pipeline.Status.Queue.Bytes <= room);
            rig.Clock.Advance(TimeSpan.FromMinutes(5));
        }
        (await rig.Store.OpenAsync(default)).Outbox.Sum(header => (long)header.Size).ShouldBeLessThanOrEqualTo(room);
        foreach (var lane in Lane.All)
        {
            rig.Ledger(lane).ShouldBalance();
            rig.Ledger(lane).Expired.ShouldBeGreaterThan(0);
        }
    }

    [Fact]
    public async Task WhatFailsIsNotSentAgainBeforeTheWaitIsOverHoweverMuchIsGoingOn()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r => r.Path == Lane.Events.Path ? new FarEndAnswer(503) : FarEndAnswer.Accepted;
        await rig.KeepAsync(new DatadogEvent("Told", "", rig.Clock.GetUtcNow()));
        using var enough = new CancellationTokenSource();
        var goingOn = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await rig.KeepAsync(Some.Count());
            }
        });
        for (var tries = 1; tries <= 60; tries++)
        {
            await rig.Until(() => rig.Lane(Lane.Events).NextTry > rig.Clock.GetUtcNow());
            rig.FarEnd.Requests.Count(r => r.Path == Lane.Events.Path).ShouldBe(tries);
            rig.Clock.Advance(rig.Lane(Lane.Events).NextTry!.Value - rig.Clock.GetUtcNow());
        }
        await enough.CancelAsync();
        await goingOn;
    }

    [Fact]
    public async Task WithoutAKeyEveryLaneKeepsEverythingAsksNobodyAndGoesOnAtOnceWhenThereIsOne()
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null });
        await KeepOnEveryLaneAsync(rig);
        foreach (var lane in Lane.All)
        {
            await rig.Until(() => rig.Lane(lane).ParkReason == ParkReason.KeyMissing);
            await DriveAsync(rig, lane);
            rig.Ledger(lane).ShouldBe(1, queued: 1);
        }
        rig.FarEnd.Requests.ShouldBeEmpty();
        await rig.ConfigureAsync(rig.Options with { ApiKey = Secret.ApiKey });
        await rig.UntilSent();
        foreach (var lane in Lane.All)
        {
            rig.Ledger(lane).ShouldBe(1, delivered: 1);
        }
    }

    // From one try of the lane to the next, and to the time-out where the far end never ends its answer.
    private static async Task DriveAsync(Rig rig, Lane lane)
    {
        var end = rig.Clock.GetUtcNow() + Trouble;
        while (await WaitsAsync() is var wait && rig.Clock.GetUtcNow() + wait < end)
        {
            rig.Clock.Advance(wait);
            foreach (var each in Lane.All)
            {
                rig.Ledger(each).ShouldBalance();
            }
        }

        async Task<TimeSpan> WaitsAsync()
        {
            while (true)
            {
                await rig.Until(() => rig.FarEnd.Held == 1 || rig.Lane(lane).NextTry > rig.Clock.GetUtcNow());
                if (rig.Lane(lane).NextTry is { } next && next > rig.Clock.GetUtcNow())
                {
                    return next - rig.Clock.GetUtcNow();
                }

                rig.Clock.Advance(TimeSpan.FromSeconds(20));
                await rig.Until(() => rig.FarEnd.Held == 0);
            }
        }
    }

    private static async Task KeepOnEveryLaneAsync(Rig rig)
    {
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
    }

    private static byte[] Coded(string codings, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        foreach (var coding in codings.Split(", "))
        {
            using var packed = new MemoryStream();
            using (
                Stream packing = coding switch
                {
                    "br" => new BrotliStream(packed, CompressionMode.Compress),
                    "deflate" => new ZLibStream(packed, CompressionMode.Compress),
                    "zstd" => new CompressionStream(packed),
                    _ => new GZipStream(packed, CompressionMode.Compress),
                }
            )
            {
                packing.Write(body);
            }
            body = packed.ToArray();
        }
        return body;
    }

    private static FarEndAnswer Page(int status) => new(status, "<html>Sign in</html>", "text/html");
}
