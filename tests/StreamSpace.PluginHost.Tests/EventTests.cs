using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What is posted to <c>/api/events</c>, and by whom.</summary>
public sealed class EventTests
{
    private static readonly string Now = At(TimeSpan.Zero);

    private static readonly string Created =
        $$$"""{"event":"session.created","timestamp":"{{{Now}}}","data":{"id":"ada-chrome-1","user_id":"ada","template_name":"chrome"}}""";

    [Fact]
    public async Task AWebhookSignedAsStreamSpaceSignsIsTakenAndReachesThePlugin()
    {
        await using var host = await StartAsync();
        var answer = await PostAsync(host, Created, Sign(Created));
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        ((int?)(await TestHost.BodyAsync(answer))["accepted"]).ShouldBe(1);
        await host.UntilAsync("api/plugins/echo/status", s => (long?)s["facts"] == 1);
    }

    [Fact]
    public async Task TheSameEventTwiceIsOne()
    {
        await using var host = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            // Blanks make another body, another signature and the same event.
            var body = Created + new string(' ', i);
            (await PostAsync(host, body, Sign(body))).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }
        var status = await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((long?)status["facts"]).ShouldBe(1);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256=")]
    [InlineData("x")]
    public async Task AWrongSignatureIsRefusedAndNothingIsTaken(string signature)
    {
        await using var host = await StartAsync();
        var answer = await PostAsync(host, Created, signature);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain(Secret.SigningSecret);
        var status = await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((long?)status["facts"]).ShouldBe(0);
    }

    [Fact]
    public async Task ATokenOfAnOperatorOpensItAndThatOfAUserDoesNot()
    {
        await using var host = await StartAsync();
        (await PostAsync(host, Created, signature: null, host.Admin)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var user = host.Tokens.Issue(Roles.User, TimeSpan.FromHours(1));
        (await PostAsync(host, Created, signature: null, user)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await PostAsync(host, Created, signature: null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task TheTestOfAWebhookIsAnsweredAsAcceptedAndCountsNothing()
    {
        await using var host = await StartAsync();
        const string test =
            """{"event":"webhook.test","timestamp":"2026-01-02T03:04:05.123456789Z","data":{"webhook_id":7,"message":"This is a test webhook"}}""";
        var alone = await PostAsync(host, test, Sign(test));
        alone.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await TestHost.BodyAsync(alone))
            .ToJsonString()
            .ShouldBe("""{"accepted":0,"ignored":1,"rejected":[],"rejectedCount":0}""");
        var status = await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((long?)status["facts"]).ShouldBe(0);

        var batch = $$"""{"events":[{{test}},{{Created}},17]}""";
        (await TestHost.BodyAsync(await PostAsync(host, batch, Sign(batch))))
            .ToJsonString()
            .ShouldBe(
                """{"accepted":1,"ignored":1,"rejected":[{"index":2,"reason":"is not an object"}],"rejectedCount":1}"""
            );
        // Only whoever knows the secret is told so.
        (await PostAsync(host, test, Sign(batch))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task AnInvalidEventOfABatchCostsOnlyItself()
    {
        await using var host = await StartAsync();
        var body = $$$"""
            {"events":[
              {{{Created}}},
              {"event":"session.create","timestamp":"{{{Now}}}","data":{"id":"x"}},
              {"event":"session.started","timestamp":"yesterday","data":{"id":"x"}},
              {"event":"session.started","timestamp":"{{{Now}}}","data":{}},
              {"event":"session.heartbeat","timestamp":"{{{Now}}}","data":{"id":"x"}},
              {"event":"user.login","timestamp":"{{{Now}}}","data":{}},
              17,
              {"event":"user.login","timestamp":"{{{Now}}}","data":{"username":"ada"}}]}
            """;
        var answer = await PostAsync(host, body, Sign(body));
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var said = await TestHost.BodyAsync(answer);
        ((int?)said["accepted"]).ShouldBe(2);
        said["rejected"]!.AsArray().Select(r => (int)r!["index"]!).ShouldBe([1, 2, 3, 4, 5, 6]);
        ((string)said["rejected"]![0]!["reason"]!).ShouldContain("did you mean session.created?");
    }

    [Theory]
    [InlineData("""{"event":"user.login","timestamp":"NOW","data":{"username":"\ud800"}}""")]
    [InlineData("""{"event":"user.login","timestamp":"NOW","data":{"username":"ada","x":"\udc00"}}""")]
    [InlineData("""{"\ud800":1,"event":"user.login","timestamp":"NOW","data":{"username":"ada"}}""")]
    [InlineData("""{"event":"\ud800","timestamp":"NOW","data":{}}""")]
    // Sent as a byte that is not UTF-8.
    [InlineData("{\"event\":\"user.login\",\"timestamp\":\"NOW\",\"data\":{\"username\":\"\u00ff\"}}")]
    public async Task AStringThatIsNoTextCostsOnlyItsEvent(string json)
    {
        json = json.Replace("NOW", Now, StringComparison.Ordinal);
        await using var host = await StartAsync();
        var alone = await PostBytesAsync(host, json);
        alone.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ((string)(await TestHost.BodyAsync(alone))["detail"]!).ShouldContain("not Unicode text");

        var batch = await PostBytesAsync(host, $$"""{"\ud800":1,"events":[{{Created}},{{json}},{{Created}}]}""");
        batch.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var said = await TestHost.BodyAsync(batch);
        ((int?)said["accepted"]).ShouldBe(2);
        ((int?)said["rejected"]!.AsArray().ShouldHaveSingleItem()!["index"]).ShouldBe(1);
        var status = await host.UntilAsync("api/plugins/echo/status", s => (int?)s["feed"]!["behind"] == 0);
        ((long?)status["facts"]).ShouldBe(1);

        static Task<HttpResponseMessage> PostBytesAsync(TestHost host, string text)
        {
            var body = new ByteArrayContent(Encoding.Latin1.GetBytes(text));
            body.Headers.ContentType = new("application/json");
            return host.SendAsync(HttpMethod.Post, "api/events", host.Admin, body);
        }
    }

    [Theory]
    [InlineData("no JSON", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("""{"events":[]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"events":7}""", HttpStatusCode.BadRequest)]
    public async Task ABodyWithoutAnyEventIsRefused(string body, HttpStatusCode expected)
    {
        await using var host = await StartAsync();
        (await PostAsync(host, body, Sign(body))).StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task RealEventsNeverMixWithTheDemo()
    {
        await using var host = await TestHost.StartAsync();
        (await PostAsync(host, Created, signature: null, host.Admin)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await PostAsync(host, Created, Sign(Created))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData(-46.9, null)]
    [InlineData(-47.1, "47 hours old")]
    [InlineData(-24 * 365, "47 hours old")]
    [InlineData(0.08, null)]
    [InlineData(0.09, "5 minutes ahead")]
    [InlineData(24 * 365, "5 minutes ahead")]
    public async Task AnEventWhoseRepeatCouldNotBeToldFromANewOneCostsOnlyItself(double hours, string? refused)
    {
        await using var host = await StartAsync();
        var login =
            $$$"""{"event":"user.login","timestamp":"{{{At(
            TimeSpan.FromHours(hours)
        )}}}","data":{"username":"ada"}}""";
        var alone = await PostAsync(host, login, Sign(login));
        alone.StatusCode.ShouldBe(refused is null ? HttpStatusCode.Accepted : HttpStatusCode.BadRequest);
        var batch = $$"""{"events":[{{login}},{{Created}}]}""";
        var said = await TestHost.BodyAsync(await PostAsync(host, batch, Sign(batch)));
        if (refused is null)
        {
            ((int?)said["accepted"]).ShouldBe(2);
            return;
        }
        ((string)(await TestHost.BodyAsync(alone))["detail"]!).ShouldContain(refused);
        ((int?)said["accepted"]).ShouldBe(1);
        ((string)said["rejected"]!.AsArray().ShouldHaveSingleItem()!["reason"]!).ShouldContain(refused);
    }

    [Theory]
    [InlineData("03:04:05")]
    [InlineData("2026-11-27")]
    [InlineData("2026-11-27T03:04:05")]
    [InlineData("27 Nov 2026 03:04:05 GMT")]
    [InlineData("1785000000")]
    [InlineData("")]
    public async Task ATimeThatIsNotWholeIsNoTime(string time)
    {
        await using var host = await StartAsync();
        var login = $$$"""{"event":"user.login","timestamp":"{{{time}}}","data":{"username":"ada"}}""";
        var answer = await PostAsync(host, login, Sign(login));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ((string)(await TestHost.BodyAsync(answer))["detail"]!).ShouldContain("RFC 3339");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t")]
    public async Task WithoutASecretNothingIsSignedWhateverTheKey(string? secret)
    {
        var environment = new Dictionary<string, string> { ["NATS_URL"] = "nats://127.0.0.1:1" };
        if (secret is not null)
        {
            environment["WEBHOOK_SIGNING_SECRET"] = secret;
        }
        await using var host = await TestHost.StartAsync(TestHost.NewSettings() with { Environment = environment });
        foreach (var key in (string[])["", secret ?? "", Secret.SigningSecret])
        {
            var answer = await PostAsync(host, Created, Sign(Created, key));
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            ((string)(await TestHost.BodyAsync(answer))["detail"]!).ShouldContain("WEBHOOK_SIGNING_SECRET is not set");
        }
    }

    private static string At(TimeSpan fromNow) =>
        (TimeProvider.System.GetUtcNow() + fromNow).ToString(
            "yyyy-MM-dd'T'HH:mm:ss.fffffff'89Z'",
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static Task<TestHost> StartAsync() =>
        TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                Environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
            }
        );

    private static string Sign(string body, string secret = Secret.SigningSecret) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    private static Task<HttpResponseMessage> PostAsync(
        TestHost host,
        string body,
        string? signature,
        string? token = null
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "api/events") { Content = TestHost.Json(body) };
        if (signature is not null)
        {
            request.Headers.Add("X-StreamSpace-Signature", signature);
        }
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }
        return host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
