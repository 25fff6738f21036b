using AgentlessDatadog.Store;
using AgentlessDatadog.Tests.Support;
using Google.Protobuf;
using OpenTelemetry.Proto.Collector.Trace.V1;
using OpenTelemetry.Proto.Trace.V1;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

/// <summary>Spans on their way, and what an OTLP intake may answer (docs/reference/datadog.md §5.1).</summary>
public sealed class TraceDeliveryTests
{
    private const string Forbidden = """{"errors":["Forbidden"]}""";

    private static readonly FarEndAnswer Valid = new(200, """{"valid":true}""");

    [Fact]
    public async Task SpansOfAnIntervalAreOneRequestThatAsksForTraceMetrics()
    {
        await using var rig = await Rig.StartAsync(o => o with { Tags = ["service:desk", "env:test"] });
        for (var i = 0; i < 20; i++)
        {
            await rig.KeepAsync(Some.Span(rig.Clock.GetUtcNow()));
        }

        rig.FarEnd.Requests.ShouldBeEmpty();
        await rig.FlushAsync();
        await rig.UntilSent();

        var request = rig.FarEnd.Requests.ShouldHaveSingleItem();
        request.Path.ShouldBe("/v1/traces");
        request.ContentType.ShouldBe("application/x-protobuf");
        request.Encoding.ShouldBe("zstd");
        request.Key.ShouldBe(Secret.ApiKey);
        request.Headers["compute_stats"].ShouldBe("true");
        SpansIn(request).Count.ShouldBe(20);
        rig.Ledger(Lane.Traces).ShouldBe(20, delivered: 20);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatIsTooMuchForOneRequestGoesInSeveralWithoutAFlushThatIsAskedFor()
    {
        await using var rig = await Rig.StartAsync();
        var text = new string('x', 20_000);
        for (var i = 0; i < 100; i++)
        {
            var spans = Enumerable.Range(0, 10).Select(_ => Some.Span(rig.Clock.GetUtcNow()) with { Resource = "r" });
            await rig.KeepAsync([.. spans.Select(span => span with { Attributes = [new("text", text)] })]);
        }
        await rig.Until(() => rig.Ledger(Lane.Traces).Delivered > 0, TimeSpan.FromMilliseconds(100));
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.Ledger(Lane.Traces).ShouldBe(1_000, delivered: 1_000);
        rig.FarEnd.Requests.Where(r => r.Path == "/v1/traces").ShouldAllBe(r => r.Raw.Length <= 4 * 1024 * 1024);
        rig.FarEnd.Requests.SelectMany(SpansIn).Select(s => s.SpanId).Distinct().Count().ShouldBe(1_000);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task SpansFarApartInTimeDoNotShareARequestThatExpiresAsAWhole()
    {
        await using var rig = await Rig.StartAsync();
        var now = rig.Clock.GetUtcNow();
        await rig.KeepAsync(Some.Span(now.AddHours(-17)), Some.Span(now), Some.Span(now.AddHours(-19)));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Requests.Select(r => SpansIn(r).Count).ShouldBe([1, 1]);
        rig.Ledger(Lane.Traces).ShouldBe(3, delivered: 2, rejected: 1);
        rig.Ledger(Lane.Traces).Reasons.Keys.ShouldBe(["it began more than 18 h ago"]);
    }

    public static TheoryData<string, byte[]> PartialSuccesses =>
        new()
        {
            { "application/json", """{"partialSuccess":{"rejectedSpans":"2","errorMessage":"bad ids"}}"""u8.ToArray() },
            { "application/json", """{"partialSuccess":{"rejectedSpans":2,"errorMessage":"bad ids"}}"""u8.ToArray() },
            {
                "application/x-protobuf",
                new ExportTraceServiceResponse
                {
                    PartialSuccess = new() { RejectedSpans = 2, ErrorMessage = "bad ids" },
                }.ToByteArray()
            },
        };

    [Theory]
    [MemberData(nameof(PartialSuccesses))]
    public async Task WhatAPartialSuccessRejectsIsBookedWithItsWordsAndNeverSentAgain(string type, byte[] body)
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = _ => new FarEndAnswer(200, body, type);
        var now = rig.Clock.GetUtcNow();
        await rig.KeepAsync(Some.Span(now), Some.Span(now), Some.Span(now));
        await rig.FlushAsync();
        await rig.UntilSent();
        await rig.FlushAsync();

        rig.FarEnd.Requests.ShouldHaveSingleItem();
        rig.Ledger(Lane.Traces).ShouldBe(3, delivered: 1, rejected: 2);
        rig.Ledger(Lane.Traces).Reasons.ShouldBe(new Dictionary<string, long> { ["200 OK: bad ids"] = 2 });
        rig.Lane(Lane.Traces).State.ShouldBe(LaneState.Open);
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("30000", 3)]
    [InlineData("-1", 0)]
    public async Task APartialSuccessForEverySpanOrForMoreBalances(string rejected, int booked)
    {
        await using var rig = await Rig.StartAsync();
        var body = $$$"""{"partialSuccess":{"rejectedSpans":"{{{rejected}}}","errorMessage":"no"}}""";
        rig.FarEnd.Answer = _ => new FarEndAnswer(202, body);
        var now = rig.Clock.GetUtcNow();
        await rig.KeepAsync(Some.Span(now), Some.Span(now), Some.Span(now));
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.Ledger(Lane.Traces).ShouldBe(3, delivered: 3 - booked, rejected: booked);
    }

    [Fact]
    public async Task A413HalvesARequestUntilTheSpanThatIsTooLargeStandsAlone()
    {
        var store = new MemoryStore();
        await using var rig = await Rig.StartAsync(store: store);
        rig.FarEnd.Answer = r =>
            SpansIn(r).Exists(span => span.Name == "app.large")
                ? new FarEndAnswer(413, """{"errors":["too large"]}""")
                : FarEndAnswer.Accepted;
        var now = rig.Clock.GetUtcNow();
        var spans = Enumerable.Range(0, 50).Select(_ => Some.Span(now)).ToList();
        spans[20] = spans[20] with { Name = "app.large" };
        await rig.KeepAsync([.. spans]);
        await rig.FlushAsync();
        await rig.UntilSent();

        rig.Ledger(Lane.Traces).ShouldBe(50, delivered: 49, rejected: 1);
        rig.Ledger(Lane.Traces).Reasons.Keys.ShouldBe(["413 Request Entity Too Large: too large"]);
        rig.FarEnd.Requests.Count.ShouldBeInRange(7, 15);
        rig.FarEnd.Check.Errors.ShouldBeEmpty();
        await rig.RestartAsync();
        (await store.OpenAsync(default)).Outbox.ShouldBeEmpty();
        rig.Ledger(Lane.Traces).ShouldBe(50, delivered: 49, rejected: 1);
    }

    [Fact]
    public async Task A200WithTextIsNotDatadogsAndKeepsEverything()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r =>
            r.Path == "/v1/traces" ? new FarEndAnswer(200, "OK", "text/plain") : FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Span(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Traces).State == LaneState.Parked);
        rig.Lane(Lane.Traces).LastError.ShouldBe("200 OK and no JSON: this is not Datadog's answer");
        rig.Ledger(Lane.Traces).ShouldBe(1, queued: 1);
    }

    [Theory]
    [InlineData(404, """{"errors":["Not Found"]}""", "(404 Not Found: this is not Datadog's answer)")]
    [InlineData(404, "<html>", "(404 Not Found and no JSON: this is not Datadog's answer)")]
    [InlineData(null, "", "no such host")]
    public async Task ASiteWithoutAnIntakeForTracesParksThemWithThatSentenceAndGoesOnWhenItHasOne(
        int? status,
        string body,
        string words
    )
    {
        await using var rig = await Rig.StartAsync(o => o with { IntakeUrl = null, Site = "datadoghq.eu" });
        var has = false;
        rig.FarEnd.Answer = r =>
            r.Method == "GET" ? Valid
            : r.Path != "/v1/traces" || has ? FarEndAnswer.Accepted
            : new FarEndAnswer(status, body) { IsNoHost = status is null };
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Traces).ParkReason == ParkReason.NotOffered);
        rig.Lane(Lane.Traces).LastError.ShouldNotBeNull().ShouldStartWith("datadoghq.eu has no intake for traces (");
        rig.Lane(Lane.Traces).LastError.ShouldNotBeNull().ShouldContain(words);
        await rig.Until(() => rig.Pipeline.Status.Queue.Requests == 1);
        rig.FarEnd.Requests.Select(r => r.Host)
            .Distinct()
            .ShouldBe(["api.datadoghq.eu", "http-intake.logs.datadoghq.eu", "otlp.datadoghq.eu"], ignoreOrder: true);

        has = true;
        var mended = rig.Clock.GetUtcNow();
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        (rig.Clock.GetUtcNow() - mended).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(31));
        rig.Ledger(Lane.Traces).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task ARefusalOfTheProductParksTracesAlone()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.Answer = r =>
            r.Method == "GET" ? Valid
            : r.Path == "/v1/traces" ? new FarEndAnswer(403, Forbidden)
            : FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Traces).ParkReason == ParkReason.ProductRefused);
        foreach (var lane in Lane.All.Where(lane => lane != Lane.Traces))
        {
            await rig.Until(() => rig.Ledger(lane).Delivered == 1);
        }

        rig.Ledger(Lane.Traces).ShouldBe(1, queued: 1);
    }

    [Theory]
    [InlineData("http://collector.invalid:4318", "/v1/traces")]
    [InlineData("http://collector.invalid:4318/", "/v1/traces")]
    [InlineData("http://collector.invalid:4318/otlp/v1/traces", "/otlp/v1/traces")]
    public async Task AnEndpointOfOnesOwnTakesTracesAloneAndNeedsNoKey(string endpoint, string path)
    {
        await using var rig = await Rig.StartAsync(o => o with { ApiKey = null, TracesEndpoint = new Uri(endpoint) });
        await rig.KeepAsync(Some.OfEveryLane(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => rig.Ledger(Lane.Traces).Delivered == 1);
        var request = rig.FarEnd.Requests.ShouldHaveSingleItem();
        (request.Host, request.Path, request.Key).ShouldBe(("collector.invalid", path, null));
        await rig.Until(() => rig.Lane(Lane.Logs).ParkReason == ParkReason.KeyMissing);
    }

    [Theory]
    [InlineData(403, Forbidden, ParkReason.ProductRefused)]
    [InlineData(404, "<html>", ParkReason.NotDatadog)]
    public async Task AnEndpointOfOnesOwnThatRefusesIsTriedAgainWhateverTheSiteSaysOfTheKey(
        int status,
        string body,
        ParkReason reason
    )
    {
        await using var rig = await Rig.StartAsync(o =>
            o with
            {
                TracesEndpoint = new Uri("http://collector.invalid:4318"),
            }
        );
        var refuses = true;
        rig.FarEnd.Answer = r =>
            r.Method == "GET" ? (refuses ? Valid : new FarEndAnswer(403, Forbidden))
            : refuses ? new FarEndAnswer(status, body)
            : FarEndAnswer.Accepted;
        await rig.KeepAsync(Some.Span(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.Until(() => rig.Lane(Lane.Traces).ParkReason == reason);
        refuses = false;
        await rig.UntilSent(TimeSpan.FromSeconds(1));
        rig.Ledger(Lane.Traces).ShouldBe(1, delivered: 1);
    }

    [Fact]
    public async Task WhatIsOffIsNotBuffered()
    {
        await using var rig = await Rig.StartAsync(o => o with { Traces = false, Logs = false });
        await rig.KeepAsync(Some.Span(rig.Clock.GetUtcNow()), Some.Log(rig.Clock.GetUtcNow()));
        await rig.FlushAsync();
        await rig.ConfigureAsync(rig.Options with { Traces = true, Logs = true });
        await rig.FlushAsync();
        await rig.UntilSent();
        rig.FarEnd.Requests.ShouldBeEmpty();
        (rig.Ledger(Lane.Traces).Accepted, rig.Ledger(Lane.Logs).Accepted).ShouldBe((0, 0));
    }

    private static List<OtlpSpan> SpansIn(FarEndRequest request) =>
        request.Path == "/v1/traces"
            ? [.. SpanCheck.Read(request.Raw).ResourceSpans.SelectMany(r => r.ScopeSpans).SelectMany(s => s.Spans)]
            : [];
}
