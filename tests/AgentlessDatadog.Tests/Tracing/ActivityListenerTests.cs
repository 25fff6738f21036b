using System.Diagnostics;
using AgentlessDatadog.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Proto.Trace.V1;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Tracing;

/// <summary>What a program and its libraries do, as it arrives at Datadog's traces.</summary>
public sealed class ActivityListenerTests : IDisposable
{
    private const string CallersTrace = "0af7651916cd43dd8448eb211c80319c";
    private const string CallersSpan = "b7ad6b7169203331";

    // Of the test that is running, so that no other test's source is meant.
    private readonly ActivitySource _source = new($"test.{Guid.NewGuid():N}");

    public void Dispose() => _source.Dispose();

    [Fact]
    public async Task ARequestIsASpanUnderTheParentThatItsCallerNamesAndSoIsWhatItCallsItself()
    {
        await using var run = await TracedRun.StartAsync();
        await using var shop = await Shop.StartAsync();

        var handedOn = await shop.AskAsync("/orders/4711/on?name=ada", sampled: true);

        var spans = await SentAsync(run, shop);
        var request = spans.Single(span => Of(span, "resource.name") == "GET /orders/{id}/on");
        Hex(request.ParentSpanId).ShouldBe(CallersSpan);
        request.Kind.ShouldBe(OtlpSpan.Types.SpanKind.Server);
        Of(request, "operation.name").ShouldBe("http.server.request");
        Of(request, "span.type").ShouldBe("web");
        Of(request, "url.path").ShouldBe("/orders/4711/on");
        Of(request, "http.response.status_code").ShouldBe("200");
        request.Status.ShouldBeNull();
        var call = spans.Single(span => Of(span, "operation.name") == "http.client.request");
        call.ParentSpanId.ShouldBe(request.SpanId);
        Of(call, "span.type").ShouldBe("http");
        var called = spans.Single(span => Of(span, "resource.name") == "GET /context");
        called.ParentSpanId.ShouldBe(call.SpanId);
        handedOn.ShouldBe($"00-{CallersTrace}-{Hex(call.SpanId)}-01");
        spans.Count.ShouldBe(3);
        spans.ShouldAllBe(span => !span.ToString().Contains("ada"));
        run.FarEnd.Check.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatACallerDoesNotSampleIsNotSentAndHandedOnAsThat()
    {
        await using var run = await TracedRun.StartAsync();
        await using var shop = await Shop.StartAsync();
        var handedOn = await shop.AskAsync("/orders/4711/on", sampled: false);
        handedOn.ShouldStartWith($"00-{CallersTrace}-");
        handedOn.ShouldEndWith("-00");
        (await SentAsync(run, shop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task ARequestThatFailsIsAnErrorOfTheRouteThatWasAskedForWithItsKindMessageAndStack()
    {
        await using var run = await TracedRun.StartAsync();
        await using var shop = await Shop.StartAsync();
        await shop.AskAsync("/broken/1", sampled: true);
        var span = (await SentAsync(run, shop)).ShouldHaveSingleItem();
        Of(span, "resource.name").ShouldBe("GET /broken/{id}");
        Of(span, "http.response.status_code").ShouldBe("500");
        Of(span, "error.type").ShouldBe("System.InvalidOperationException");
        Of(span, "error.message").ShouldBe("it broke");
        Of(span, "error.stack").ShouldContain(nameof(Shop));
        span.Status.Code.ShouldBe(Status.Types.StatusCode.Error);
    }

    [Theory]
    [InlineData(
        ActivityKind.Client,
        "db.system.name=postgresql;db.query.text=SELECT 'ada'",
        "postgresql.query",
        "sql",
        "SELECT ?"
    )]
    [InlineData(ActivityKind.Client, "db.system=postgresql", "postgresql.query", "sql", "as named")]
    [InlineData(
        ActivityKind.Consumer,
        "messaging.system=nats;messaging.operation=receive",
        "nats.receive",
        "queue",
        "as named"
    )]
    [InlineData(ActivityKind.Producer, "messaging.system=nats", "nats.producer", "queue", "as named")]
    [InlineData(ActivityKind.Server, "http.request.method=GET;http.route=/a", "http.server.request", "web", "GET /a")]
    [InlineData(ActivityKind.Server, "", "server", "custom", "as named")]
    [InlineData(ActivityKind.Internal, "", "internal", "custom", "as named")]
    public async Task WhatASpanIsFollowsFromWhatItSays(
        ActivityKind kind,
        string tags,
        string operation,
        string type,
        string resource
    )
    {
        await using var run = await TracedRun.StartAsync(Only(_source));
        using (var activity = _source.StartActivity("as named", kind))
        {
            foreach (var tag in tags.Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                activity!.SetTag(tag.Split('=')[0], tag.Split('=')[1]);
            }
        }
        var span = (await run.SentAsync()).ShouldHaveSingleItem();
        (Of(span, "operation.name"), Of(span, "span.type"), Of(span, "resource.name")).ShouldBe(
            (operation, type, resource)
        );
        ((int)span.Kind).ShouldBe((int)kind + 1);
        span.ToString().ShouldNotContain("ada");
    }

    [Fact]
    public async Task AnErrorIsWhatTheActivitySaysOfIt()
    {
        await using var run = await TracedRun.StartAsync(Only(_source));
        _source.StartActivity("a")!.SetStatus(ActivityStatusCode.Error, "it went wrong").Stop();
        _source.StartActivity("b")!.SetTag("error.type", "timeout").Stop();
        _source.StartActivity("c")!.AddException(new InvalidOperationException("caught")).Stop();
        var spans = (await run.SentAsync()).ToDictionary(span => Of(span, "resource.name"));
        Of(spans["a"], "error.message").ShouldBe("it went wrong");
        Of(spans["b"], "error.type").ShouldBe("timeout");
        spans["c"].Status.ShouldBeNull();
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.25, 400, 600)]
    [InlineData(1, 2_000, 2_000)]
    public async Task OfTracesThatBeginHereTheShareIsSentThatIsAskedForEachWithAllOfIt(double rate, int least, int most)
    {
        var options = Only(_source) with { SampleRate = rate, MaxTracesPerSecond = int.MaxValue };
        await using var run = await TracedRun.StartAsync(options);
        for (var i = 0; i < 2_000; i++)
        {
            using var root = _source.StartActivity("root");
            using var child = _source.StartActivity("child");
        }
        var traces = (await run.SentAsync()).GroupBy(span => span.TraceId).ToList();
        traces.Count.ShouldBeInRange(least, most);
        traces.ShouldAllBe(trace => trace.Count() == 2);
    }

    [Fact]
    public void AFloodIsBoundedEachSecondAlsoOneThatCallersSample()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var listener = new DatadogActivityListener(Only(_source) with { MaxTracesPerSecond = 3 }, clock);
        var caller = new ActivityContext(
            ActivityTraceId.CreateRandom(),
            ActivitySpanId.CreateRandom(),
            ActivityTraceFlags.Recorded,
            isRemote: true
        );
        for (var second = 0; second < 3; second++)
        {
            Enumerable.Range(0, 10).Count(_ => IsRecorded(default)).ShouldBe(3);
            IsRecorded(caller).ShouldBeFalse();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        IsRecorded(caller).ShouldBeTrue();

        bool IsRecorded(ActivityContext parent)
        {
            using var activity = _source.StartActivity(ActivityKind.Server, parent, name: "a");
            return activity!.Recorded;
        }
    }

    [Fact]
    public async Task WhatFindsNoRoomBeforeThereIsAPipelineIsCountedAndTold()
    {
        await using var listener = new DatadogActivityListener(
            Only(_source) with
            {
                MaxTracesPerSecond = int.MaxValue,
            }
        );
        for (var i = 0; i < 10_050; i++)
        {
            _source.StartActivity("a")!.Dispose();
        }
        await using var rig = await Rig.StartAsync(clock: new(TimeProvider.System.GetUtcNow()));
        listener.SendTo(rig.Pipeline);
        await listener.DisposeAsync();
        rig.Ledger(Lane.Traces).Accepted.ShouldBe(10_000);
        await rig.FlushAsync();
        await rig.UntilSent();
        var logs = rig.FarEnd.Requests.Single(request => request.Path == "/api/v2/logs");
        System
            .Text.Encoding.UTF8.GetString(logs.Raw)
            .ShouldContain("50 spans were dropped: more came than could be kept.");
    }

    [Fact]
    public async Task WhereThisMachinesClockIsAnHourOffSpansAndLogsAreStampedByDatadogs()
    {
        await using var rig = await Rig.StartAsync();
        rig.FarEnd.ClockAhead = TimeSpan.FromHours(1);
        await rig.KeepAsync(Some.Count());
        await rig.FlushAsync();
        await rig.UntilSent();
        await using var listener = new DatadogActivityListener(Only(_source), rig.Clock);
        await using var logs = new DatadogLoggerProvider(rig.Clock);
        listener.SendTo(rig.Pipeline);
        logs.SendTo(rig.Pipeline);
        var now = rig.Clock.GetUtcNow();
        _source.StartActivity(ActivityKind.Internal, startTime: now, name: "a")!.SetEndTime(now.UtcDateTime).Stop();
        logs.CreateLogger("Desk").LogInformation("It came");

        await listener.DisposeAsync();
        await logs.DisposeAsync();
        await rig.FlushAsync();
        await rig.UntilSent();

        var stamp = now.AddHours(1).ToUnixTimeMilliseconds();
        var spans = rig.FarEnd.Requests.Single(request => request.Path == "/v1/traces");
        var span = SpanCheck.Read(spans.Raw).ResourceSpans.Single().ScopeSpans.Single().Spans.Single();
        span.StartTimeUnixNano.ShouldBe((ulong)stamp * 1_000_000);
        var entries = rig.FarEnd.Requests.Single(request => request.Path == "/api/v2/logs");
        System.Text.Encoding.UTF8.GetString(entries.Raw).ShouldContain($"\"timestamp\":{stamp}");
    }

    [Fact]
    public void NobodyIsTracedBeforeItIsMadeNorAfterItIsDisposed()
    {
        _source.HasListeners().ShouldBeFalse();
        using (new DatadogActivityListener(Only(_source)))
        {
            _source.HasListeners().ShouldBeTrue();
            _source.StartActivity("a").ShouldNotBeNull().Dispose();
        }
        _source.HasListeners().ShouldBeFalse();
        _source.StartActivity("a").ShouldBeNull();
    }

    [Fact]
    public async Task WhatThePipelineAsksOfDatadogIsPartOfNoTrace()
    {
        await using var datadog = await Shop.StartAsync();
        await using var run = await TracedRun.StartAsync();
        await using var asking = await PipelineRun.OverSocketsAsync(new() { IntakeUrl = datadog.Address });
        await asking.KeepAsync(Some.OfEveryLane(TimeProvider.System.GetUtcNow()));
        await asking.CheckKeyAsync();
        await asking.Pipeline.FlushAsync();
        await asking.Until(() => datadog.Asked >= 5);
        using (var other = TestRun.NewClient(datadog.Address))
        {
            await other.GetAsync(new Uri("/context", UriKind.Relative), TestContext.Current.CancellationToken);
        }
        var calls = (await run.SentAsync()).Where(span => Of(span, "server.port") == $"{datadog.Address.Port}");
        calls.Select(span => Of(span, "url.full")).ShouldBe([$"{datadog.Address}context"]);
    }

    // A caller has its answer a little before the request is over.
    private static async Task<IReadOnlyList<OtlpSpan>> SentAsync(TracedRun run, Shop shop)
    {
        await shop.StopAsync();
        return [.. (await run.SentAsync()).Where(span => Hex(span.TraceId) == CallersTrace)];
    }

    private static TracingOptions Only(ActivitySource source) => new() { Sources = [source.Name] };

    private static string Hex(Google.Protobuf.ByteString id) => Convert.ToHexStringLower(id.Span);

    private static string Of(OtlpSpan span, string name) =>
        span.Attributes.SingleOrDefault(attribute => attribute.Key == name)?.Value switch
        {
            { HasIntValue: true } value => $"{value.IntValue}",
            { } value => value.StringValue,
            null => "",
        };

    /// <summary>A program on ASP.NET Core, which tells nobody but .NET what it does.</summary>
    private sealed class Shop(WebApplication app) : IAsyncDisposable
    {
        private int _asked;

        public Uri Address { get; } = new(app.Urls.Single());

        public int Asked => Volatile.Read(ref _asked);

        public static async Task<Shop> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            Shop? shop = null;
            app.Use(
                async (context, next) =>
                {
                    Interlocked.Increment(ref shop!._asked);
                    await next(context);
                }
            );
            app.UseExceptionHandler("/sorry");
            app.MapGet("/sorry", () => Results.StatusCode(500));
            app.MapGet("/context", (HttpRequest request) => request.Headers.TraceParent.ToString());
            app.MapGet("/broken/{id}", (string id) => Break(id));
            app.MapGet("/orders/{id}/on", (string id) => shop!.GoOnAsync());
            app.MapFallback(() => Results.Json(new { errors = Array.Empty<string>() }, statusCode: 202));
            await app.StartAsync();
            return shop = new Shop(app);
        }

        /// <summary>Asks as a caller that traces does.</summary>
        public async Task<string> AskAsync(string path, bool sampled)
        {
            using var client = TestRun.NewClient(Address, new SocketsHttpHandler { ActivityHeadersPropagator = null });
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("traceparent", $"00-{CallersTrace}-{CallersSpan}-{(sampled ? "01" : "00")}");
            using var answer = await client.SendAsync(request);
            return await answer.Content.ReadAsStringAsync();
        }

        public Task StopAsync() => app.StopAsync();

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task<string> GoOnAsync()
        {
            using var client = TestRun.NewClient(Address);
            return await client.GetStringAsync(new Uri("/context?name=ada", UriKind.Relative));
        }

        private static string Break(string id) => throw new InvalidOperationException($"it broke{id[..0]}");
    }
}
