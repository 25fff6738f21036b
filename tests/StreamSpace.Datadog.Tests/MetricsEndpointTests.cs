using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.Datadog.Tests.Support;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>The spec's call for metrics of an operator's own. Who may make it is the host's business.</summary>
public sealed class MetricsEndpointTests : IAsyncLifetime
{
    private PluginRun _run = null!;
    private FailingStore _disk = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _run = await PluginRun.StartAsync(before: store =>
        {
            var disk = FailingStore.Before(store);
            _disk = (FailingStore)disk;
            return disk;
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _run.Plugin.MapEndpoints(_app.MapGroup("/api/plugins/datadog"));
        await _app.StartAsync();
        var address = _app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        _http = TestRun.NewClient(new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await _run.DisposeAsync();
    }

    [Fact]
    public async Task TheSpecsOwnBodyArrives()
    {
        var (status, answer) = await PostAsync(
            """{"metric":"streamspace.custom.metric","value":42,"type":"gauge","tags":["custom:tag"]}"""
        );
        status.ShouldBe(HttpStatusCode.Accepted);
        answer.GetProperty("accepted").GetInt32().ShouldBe(1);
        await _run.FlushAsync();
        (await _run.LastAsync("avg:streamspace.custom.metric{custom:tag} by {env}")).ShouldBe(
            new() { ["env:production"] = 42 }
        );
    }

    [Fact]
    public async Task AnInvalidItemIsNamedByItsIndexAndCostsOnlyItself()
    {
        var old = _run.Now.AddHours(-1).AddSeconds(-1).ToUnixTimeSeconds();
        var ahead = _run.Now.AddMinutes(11).ToUnixTimeSeconds();
        string[] items =
        [
            """{"metric":"good.one","value":1,"type":"count"}""",
            """{"metric":"1bad","value":1,"type":"gauge"}""",
            """{"metric":"a b","value":1,"type":"gauge"}""",
            """{"metric":"no.value","type":"gauge"}""",
            """{"metric":"null.value","value":null,"type":"gauge"}""",
            """{"metric":"text.value","value":"42","type":"gauge"}""",
            """{"metric":"not.finite","value":1e999,"type":"gauge"}""",
            """{"metric":"odd.type","value":1,"type":"histogram"}""",
            $$"""{"metric":"too.old","value":1,"type":"gauge","timestamp":{{old}}}""",
            $$"""{"metric":"too.new","value":1,"type":"gauge","timestamp":{{ahead}}}""",
            $$"""{"metric":"stamped.count","value":1,"type":"count","timestamp":{{_run.Now.ToUnixTimeSeconds()}}}""",
            $$"""{"metric":"long.tag","value":1,"type":"gauge","tags":["{{new string('a', 201)}}"]}""",
            """{"metric":"typo","valeu":1,"type":"gauge"}""",
            "17",
            """{"metric":"\ud800","value":1,"type":"gauge"}""",
            """{"metric":"odd.name","\ud800":1,"type":"gauge"}""",
            $$"""{"metric":"good.two","value":2,"type":"gauge","tags":["{{new string('a', 200)}}"]}""",
        ];
        var (status, answer) = await PostAsync($$"""{"series":[{{string.Join(',', items)}}]}""");
        status.ShouldBe(HttpStatusCode.Accepted);
        answer.GetProperty("accepted").GetInt32().ShouldBe(2);
        var rejected = answer.GetProperty("rejected").EnumerateArray().ToList();
        rejected.Select(r => r.GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(1, 15));
        rejected.ShouldAllBe(r => r.GetProperty("reason").GetString()!.Length > 10);
        rejected[11].GetProperty("reason").GetString()!.ShouldContain("did you mean \"value\"?");
        await _run.FlushAsync();
        (await _run.SumAsync("sum:good.one{*}.as_count()")).Values.ShouldBe([1]);
        (await _run.LastAsync("avg:good.two{*}")).Values.ShouldBe([2]);
    }

    [Fact]
    public async Task AllThatIsWrongWithAnItemIsSaidAtOnceWithTheFieldsThatThereAre()
    {
        var (_, answer) = await PostAsync(
            """
            {"metric":"1bad","valeu":1,"type":"histogram","tags":["1x",""],"unit":5,"timestamp":"now","colour":true}
            """
        );
        var reason = answer.GetProperty("rejected")[0].GetProperty("reason").GetString()!;
        foreach (
            var part in (string[])
                [
                    "metric must be a letter",
                    "type must be gauge, count, rate or distribution",
                    "value must be a finite number",
                    "unit must be a name",
                    "tag 0 does not begin with a letter",
                    "tag 1 is empty",
                    "timestamp must be whole seconds",
                    "\"valeu\" is not a field; did you mean \"value\"? The fields are metric, value, type, tags, unit, timestamp",
                    "\"colour\" is not a field.",
                ]
        )
        {
            reason.ShouldContain(part);
        }
    }

    [Theory]
    [InlineData("""{"metric":"a","value":x}""", "line 1, byte 23")]
    [InlineData("{\n\"metric\":\"a\",\n}", "line 3, byte 1")]
    public async Task ABodyThatIsNoJsonIsRefusedWithThePlaceInWordsOfPeople(string body, string place)
    {
        var (status, answer) = await PostAsync(body);
        status.ShouldBe(HttpStatusCode.BadRequest);
        answer.GetProperty("detail").GetString()!.ShouldContain($"not valid JSON at {place},");
    }

    [Fact]
    public async Task WhenNothingIsAcceptedTheAnswerIsAProblem()
    {
        var (status, answer) = await PostAsync("""{"metric":"1bad","value":1,"type":"gauge"}""");
        status.ShouldBe(HttpStatusCode.BadRequest);
        answer.GetProperty("status").GetInt32().ShouldBe(400);
        answer.GetProperty("rejected").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("{\"metric\":", 400)]
    [InlineData("[1]", 400)]
    [InlineData("{\"\\ud800\":1,\"metric\":\"a\",\"value\":1,\"type\":\"gauge\"}", 400)]
    [InlineData("{\"series\":[]}", 400)]
    [InlineData("{\"series\":7}", 400)]
    public async Task ABodyOfNeitherFormIsRefusedWhole(string body, int expected) =>
        ((int)(await PostAsync(body)).Status).ShouldBe(expected);

    [Fact]
    public async Task ADepthBombIsRefused()
    {
        var body =
            $$"""{"metric":"deep","value":1,"type":"gauge","tags":{{new string('[', 5000)}}{{new string(']', 5000)}}}""";
        (await PostAsync(body)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task AnotherContentTypeIsRefused()
    {
        using var content = new StringContent(
            """{"metric":"a","value":1,"type":"gauge"}""",
            Encoding.UTF8,
            "text/plain"
        );
        using var answer = await _http.PostAsync("/api/plugins/datadog/metrics", content);
        answer.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task AnotherTypeUnderOneNameIsRefused()
    {
        (await PostAsync("""{"metric":"one.name","value":1,"type":"gauge"}""")).Status.ShouldBe(
            HttpStatusCode.Accepted
        );
        var (status, answer) = await PostAsync("""{"metric":"one.name","value":1,"type":"count"}""");
        status.ShouldBe(HttpStatusCode.BadRequest);
        answer.GetProperty("rejected")[0].GetProperty("reason").GetString()!.ShouldContain("gauge");
    }

    [Fact]
    public async Task ARepeatedCallWithOneIdempotencyKeyCountsOnce()
    {
        for (var i = 0; i < 3; i++)
        {
            (await PostWithKeyAsync("retry-1", 5)).Status.ShouldBe(HttpStatusCode.Accepted);
        }
        await _run.FlushAsync();
        (await _run.SumAsync("sum:a.count{*}.as_count()")).Values.ShouldBe([5]);
    }

    [Fact]
    public async Task AnotherBodyWithAUsedIdempotencyKeyIsRefusedAndNotTakenForARepeat()
    {
        await PostWithKeyAsync("retry-1", 5);
        for (var i = 0; i < 2; i++)
        {
            var (status, detail) = await PostWithKeyAsync("retry-1", 7);
            status.ShouldBe(HttpStatusCode.UnprocessableEntity);
            detail.ShouldContain("another body");
            await _run.FlushAsync();
        }
        (await PostWithKeyAsync("retry-1", 5)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await PostWithKeyAsync("retry-2", 7)).Status.ShouldBe(HttpStatusCode.Accepted);
        await _run.FlushAsync();
        (await _run.SumAsync("sum:a.count{*}.as_count()")).Values.Sum().ShouldBe(12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task AnIdempotencyKeyThatCannotBeHeldIsRefusedForWithoutItARepeatWouldCountTwice(int length)
    {
        var (status, detail) = await PostWithKeyAsync(new string('k', length), 5);
        status.ShouldBe(HttpStatusCode.BadRequest);
        detail.ShouldContain("1 to 200");
        await _run.FlushAsync();
        (await _run.SumAsync("sum:a.count{*}.as_count()")).ShouldBeEmpty();
    }

    [Fact]
    public async Task ARateTakesTheLastValueAndADistributionAll()
    {
        await PostAsync(
            """
            {"series":[{"metric":"a.rate","value":1,"type":"rate"},{"metric":"a.rate","value":3,"type":"rate"},
                       {"metric":"a.dist","value":1,"type":"distribution"},{"metric":"a.dist","value":3,"type":"distribution"}]}
            """
        );
        await _run.FlushAsync();
        (await _run.LastAsync("avg:a.rate{*}")).Values.ShouldBe([3]);
        (await _run.LastAsync("sum:a.dist{*}")).Values.ShouldBe([4]);
    }

    [Theory]
    [InlineData(false, null, "Nothing of it was kept, send it again later: The disk is full.")]
    [InlineData(false, "retry-1", "Nothing of it was kept, send it again later: The disk is full.")]
    [InlineData(true, null, "Whether it was kept is not known; sent again it may count twice")]
    [InlineData(true, "retry-1", "Whether it was kept is not known, send it again later with the same key")]
    public async Task ACallThatCannotBeKeptSaysWhetherNothingWasKeptOrThatIsNotKnown(
        bool mayBeKept,
        string? key,
        string sentence
    )
    {
        (_disk.Fails, _disk.MayBeDurable) = (true, mayBeKept);
        var (status, answer) = await PostWithKeyAsync(key, 5);
        _disk.Fails = false;
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        JsonDocument.Parse(answer).RootElement.GetProperty("detail").GetString()!.ShouldStartWith(sentence);
    }

    [Theory]
    [InlineData("\"enableMetrics\":false", "enableMetrics is false")]
    [InlineData("\"enabled\":false", "enabled is false")]
    public async Task WhatIsSwitchedOffIsNotTaken(string setting, string reason)
    {
        await _run.ConfigureAsync($$"""{"site":"sandbox","metricsInterval":10,{{setting}}}""");
        var (status, answer) = await PostAsync("""{"metric":"a","value":1,"type":"gauge"}""");
        status.ShouldBe(HttpStatusCode.Conflict);
        answer.GetProperty("detail").GetString()!.ShouldContain(reason);
    }

    private async Task<(HttpStatusCode Status, string Body)> PostWithKeyAsync(string? key, int value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/plugins/datadog/metrics")
        {
            Content = new StringContent(
                $$"""{"metric":"a.count","value":{{value}},"type":"count"}""",
                Encoding.UTF8,
                "application/json"
            ),
        };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }
        using var answer = await _http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync("/api/plugins/datadog/metrics", content);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }
}
