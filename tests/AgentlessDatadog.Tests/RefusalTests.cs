using System.Net;
using System.Net.Sockets;
using AgentlessDatadog.Signals;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>A refusal says what it means, and what may have arrived is treated as the operator chose.</summary>
public sealed class RefusalTests : AnsweredTests
{
    [Theory]
    [InlineData(
        "datadoghq.eu",
        ParkReason.OtherSite,
        "the key is valid on datadoghq.eu; the site is set to datadoghq.com (403 Forbidden)"
    )]
    [InlineData("", ParkReason.KeyUnknown, "the key is not known on datadoghq.com")]
    [InlineData("datadoghq.com", ParkReason.ProductRefused, "valid on datadoghq.com, and this product is refused")]
    public async Task ARefusalSaysWhichOfItsMeaningsItHas(string validAt, ParkReason refusal, string said)
    {
        await using var pipeline = Start(new Sites(request => Refuse(request, validAt)));
        await pipeline.StartAsync(CancellationToken.None);
        await KeepOnEveryLaneAsync(pipeline);
        foreach (var which in Lane.All)
        {
            var lane = await LaneAsync(pipeline, l => l.ParkReason == refusal, which);
            lane.LastError.ShouldNotBeNull().ShouldContain(said);
            lane.Ledger.Queued.ShouldBe(1);
        }
    }

    [Fact]
    public async Task WhatARefusalMeansIsAskedAgainWhereNobodyAnsweredTheFirstTime()
    {
        var isAway = true;
        await using var pipeline = Start(
            new Sites(request =>
                request.Method == HttpMethod.Get && isAway
                    ? Answer(HttpStatusCode.ServiceUnavailable, "")
                    : Refuse(request, "datadoghq.eu")
            )
        );
        await pipeline.StartAsync(CancellationToken.None);
        await KeepOnEveryLaneAsync(pipeline);
        await LaneAsync(pipeline, l => l is { ParkReason: ParkReason.Unexplained, NextTry: not null });
        isAway = false;
        Clock.Advance(TimeSpan.FromSeconds(30));
        (await LaneAsync(pipeline, l => l.ParkReason == ParkReason.OtherSite)).LastError!.ShouldContain(
            "valid on datadoghq.eu"
        );
    }

    [Fact]
    public async Task ARefusalBehindAProxysPageIsTheProxys()
    {
        await using var pipeline = Start(
            new Sites(request =>
                request.Method == HttpMethod.Get
                    ? Answer(HttpStatusCode.OK, "<html>Sign in</html>")
                    : Answer(HttpStatusCode.Forbidden, """{"error":"blocked"}""")
            )
        );
        await pipeline.StartAsync(CancellationToken.None);
        await KeepOnEveryLaneAsync(pipeline);
        await LaneAsync(pipeline, l => l.ParkReason == ParkReason.NotDatadog);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AKeyThatIsReplacedWhileItIsTriedOrAskedAboutIsUsedAtOnce(bool isTried)
    {
        var asked = new TaskCompletionSource();
        var replaced = new TaskCompletionSource();
        using var way = new Way(
            async (request, token) =>
            {
                if (request.Headers.GetValues("DD-API-KEY").Single() != Secret.ApiKey)
                {
                    return Answer(HttpStatusCode.Accepted, "{}");
                }

                if (isTried || request.Method == HttpMethod.Get)
                {
                    asked.TrySetResult();
                }

                if (isTried)
                {
                    await replaced.Task;
                }

                if (request.Method == HttpMethod.Post)
                {
                    return Answer(HttpStatusCode.Forbidden, """{"errors":["Forbidden"]}""");
                }

                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                throw new InvalidOperationException();
            }
        );
        await using var pipeline = Start(way);
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await asked.Task.WaitAsync(Patience.Enough);
        await pipeline.ConfigureAsync(new TelemetryOptions { ApiKey = new string('a', 32) }, CancellationToken.None);
        replaced.SetResult();
        await LaneAsync(pipeline, l => l.Ledger.Delivered == 1);
    }

    [Fact]
    public async Task ASiteIsNeverLookedForBehindABaseAddress()
    {
        var asked = new List<string>();
        var sites = new Sites(request =>
        {
            lock (asked)
            {
                asked.Add(request.RequestUri!.Host);
            }

            return Refuse(request, "");
        });
        await using var pipeline = Start(sites, o => o with { IntakeUrl = new Uri("http://127.0.0.1:9") });
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await LaneAsync(pipeline, l => l.State == LaneState.Parked);
        asked.ShouldAllBe(host => host == "127.0.0.1");
    }

    [Theory]
    [InlineData(OnUncertain.Skip, "events", 1, 0)]
    [InlineData(OnUncertain.Skip, "distributions", 1, 0)]
    [InlineData(OnUncertain.Resend, "events", 0, 1)]
    [InlineData(OnUncertain.Resend, "distributions", 0, 1)]
    // A point that comes twice overwrites itself.
    [InlineData(OnUncertain.Skip, "metrics", 0, 1)]
    public async Task WhatMayHaveArrivedIsSkippedOrKeptAsTheOperatorChose(
        OnUncertain choice,
        string which,
        int uncertain,
        int queued
    )
    {
        await using var pipeline = Start(new Sites(_ => null), o => o with { OnUncertain = choice });
        await pipeline.StartAsync(CancellationToken.None);
        await KeepOnEveryLaneAsync(pipeline);
        var lane = await LaneAsync(pipeline, l => l.State == LaneState.BackingOff, Lane.Named(which));
        lane.Ledger.Uncertain.ShouldBe(uncertain);
        lane.Ledger.Queued.ShouldBe(queued);
        lane.Ledger.Accepted.ShouldBe(1);
    }

    [Fact]
    public async Task WhatNeverLeftIsNotUncertain()
    {
        // No byte of the body was handed to anyone.
        using var way = new Way((_, _) => throw new HttpRequestException("no connection"));
        await using var pipeline = Start(way, o => o with { OnUncertain = OnUncertain.Skip });
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        var lane = await LaneAsync(pipeline, l => l.State == LaneState.BackingOff);
        (lane.Ledger.Uncertain, lane.Ledger.Queued).ShouldBe((0, 1));
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, null, "no such host: api.datadoghq.com")]
    [InlineData(SocketError.NoData, null, "no such host: api.datadoghq.com")]
    [InlineData(SocketError.HostNotFound, "http://proxy.corp:3128", "no such host: proxy.corp")]
    [InlineData(SocketError.TryAgain, null, "no name server says where api.datadoghq.com is")]
    public async Task AHostThatThereIsNotIsSaidAsThat(SocketError error, string? proxy, string said)
    {
        using var way = new Way(
            (_, _) =>
                throw new HttpRequestException(
                    HttpRequestError.NameResolutionError,
                    "Resource temporarily unavailable (elsewhere:443)",
                    new SocketException((int)error)
                )
        );
        await using var pipeline = Start(way, o => o with { Proxy = _ => proxy is null ? null : new Uri(proxy) });
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        (await LaneAsync(pipeline, l => l.State == LaneState.BackingOff)).LastError.ShouldBe(said);
    }

    [Theory]
    [InlineData(50, null)]
    [InlineData(70, "70 s ahead of Datadog's: points are stamped by Datadog's clock")]
    [InlineData(-70, "70 s behind Datadog's")]
    [InlineData(660, "11 min ahead of Datadog's: points are stamped by Datadog's clock")]
    public async Task AClockThatIsWrongShowsFromAMinuteOnAndLouderFromTen(int ahead, string? said)
    {
        await using var pipeline = Start(
            new Sites(_ =>
            {
                var answer = Answer(HttpStatusCode.Accepted, """{"status":"ok"}""");
                answer.Headers.Date = Clock.GetUtcNow().AddSeconds(-ahead);
                return answer;
            })
        );
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await LaneAsync(pipeline, l => l.Ledger.Delivered == 1);
        pipeline.Status.ClockSkew.ShouldBe(TimeSpan.FromSeconds(ahead));
        Clock.Advance(new TelemetryOptions().FlushInterval);
        if (said is null)
        {
            pipeline.Status.Warnings.ShouldBeEmpty();
        }
        else
        {
            pipeline.Status.Warnings.ShouldHaveSingleItem().Sentence.ShouldContain(said);
        }
    }

    [Fact]
    public async Task TheClockOfAProxyThatAnswersForDatadogSaysNothing()
    {
        await using var pipeline = Start(
            new Sites(_ =>
            {
                var page = Answer(HttpStatusCode.OK, "<html>Sign in</html>");
                page.Headers.Date = Clock.GetUtcNow().AddHours(-2);
                return page;
            })
        );
        await pipeline.StartAsync(CancellationToken.None);
        await pipeline.KeepAsync([new DatadogEvent("t", "x", Clock.GetUtcNow())], CancellationToken.None);
        await LaneAsync(pipeline, l => l.ParkReason == ParkReason.NotDatadog);
        pipeline.Status.ClockSkew.ShouldBeNull();
    }

    private static HttpResponseMessage Refuse(HttpRequestMessage request, string validAt) =>
        request.RequestUri!.AbsolutePath == "/api/v1/validate" && request.RequestUri.Host == $"api.{validAt}"
            ? Answer(HttpStatusCode.OK, """{"valid":true}""")
            : Answer(HttpStatusCode.Forbidden, """{"errors":["Forbidden"]}""");

    private async Task KeepOnEveryLaneAsync(TelemetryPipeline pipeline)
    {
        await pipeline.KeepAsync(Some.OfEveryLane(Clock.GetUtcNow()), CancellationToken.None);
        await pipeline.FlushAsync(CancellationToken.None);
    }

    // Stands for every host of the world; takes the body, and flushes the connection where there is no answer.
    private sealed class Sites(Func<HttpRequestMessage, HttpResponseMessage?> answer) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            if (request.Content is { } content)
            {
                await content.CopyToAsync(Stream.Null, cancellationToken);
            }

            return answer(request) ?? throw new HttpRequestException("cut");
        }
    }
}
