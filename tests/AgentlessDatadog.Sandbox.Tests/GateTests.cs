using System.Net;
using System.Net.Http.Headers;
using System.Text;
using AgentlessDatadog.Sandbox.Access;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class GateTests
{
    private static readonly string[] Gated =
    [
        "/",
        "/page.js",
        "/traces.js",
        "/sandbox/spans",
        "/sandbox/logs",
        "/api/v2/spans/events",
        "/api/v2/logs/events",
        "/api/v2/events",
        "/healthz",
        "/sandbox/overview",
        "/sandbox/query?query=avg:a{*}&from=0&to=1",
        "/sandbox/dropped",
        "/sandbox/requests",
        "/sandbox/payloads",
        "/sandbox/faults",
        "/api/v1/metrics?from=0",
        "/api/v1/query?query=avg:a{*}&from=0&to=1",
        "/nothing",
    ];

    [Fact]
    public async Task TheGateIsAskedForAllButIntakeAndKeyCheck()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Gate = _ => SandboxAccess.None });

        foreach (var path in Gated)
        {
            (await sandbox.GetAsync(path)).Status.ShouldBe(HttpStatusCode.Unauthorized, path);
        }
        (await sandbox.PostAsync("/sandbox/faults", "{}")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.Accepted);
        (await sandbox.PostAsync("/v1/traces", "{}")).Status.ShouldBe(HttpStatusCode.Accepted);
        (await sandbox.PostAsync("/api/v2/logs", "[]")).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task WhoMayReadMaySearch()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Gate = _ => SandboxAccess.Read });

        (await sandbox.PostAsync("/api/v2/logs/events/search", "{}")).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.PostAsync("/api/v2/spans/events/search", """{"data":{"attributes":{}}}""")).Status.ShouldBe(
            HttpStatusCode.OK
        );
    }

    [Fact]
    public async Task HeadIsAnsweredWhereverGetIs()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        foreach (var path in Gated.Except(["/nothing"]).Append("/api/v1/validate"))
        {
            var get = await sandbox.GetAsync(path);
            var head = await sandbox.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));

            head.Status.ShouldBe(get.Status, path);
            head.ContentType.ShouldBe(get.ContentType, path);
            head.Text.ShouldBeEmpty(path);
        }
    }

    [Fact]
    public async Task WhoMayOnlyReadChangesNothing()
    {
        await using var sandbox = await TestSandbox.StartAsync(o => o with { Gate = _ => SandboxAccess.Read });
        await sandbox.PutPointAsync("a", 3, 1);

        (await sandbox.GetAsync("/sandbox/faults")).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.PostAsync("/sandbox/faults", """{"path":"/api/v1/x","status":500}""")).Status.ShouldBe(
            HttpStatusCode.Forbidden
        );
        foreach (var (method, path) in new[] { ("DELETE", "/sandbox/faults"), ("PUT", "/api/v1/metrics/a") })
        {
            var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent("{}") };
            (await sandbox.SendAsync(request)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task AForeignHostNameIsAnsweredOnNoRoute()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        (await sandbox.GetAsync("/sandbox/overview")).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var own in new[] { "localhost", "LOCALHOST:1", "127.8.9.10:99", "[::1]:5" })
        {
            sandbox.Client.DefaultRequestHeaders.Host = own;
            (await sandbox.GetAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK, own);
        }
        foreach (
            var foreign in new[]
            {
                "rebound.example",
                "rebound.example:80",
                "127.0.0.1.evil.example",
                "10.0.0.1",
                "a.localhost",
            }
        )
        {
            sandbox.Client.DefaultRequestHeaders.Host = foreign;
            foreach (var path in Gated.Append("/api/v1/validate"))
            {
                var reply = await sandbox.GetAsync(path);
                reply.Status.ShouldBe(HttpStatusCode.MisdirectedRequest, path);
                reply.Error.ShouldContain("Host header");
            }
            (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.MisdirectedRequest);
        }
    }

    [Fact]
    public async Task TheHostOfItsPublicUrlIsItsOwn()
    {
        await using var sandbox = await TestSandbox.StartAsync(o =>
            o with
            {
                PublicUrl = new Uri("https://look.example/sandbox/"),
            }
        );
        sandbox.Client.DefaultRequestHeaders.Host = "look.example";
        (await sandbox.GetAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ATokenOpensASandboxThatOthersReach()
    {
        await using var sandbox = await TestSandbox.StartAsync(o =>
            o with
            {
                Urls = ["http://0.0.0.0:0"],
                AccessToken = Secret.OfConfig,
            }
        );
        sandbox.Client.BaseAddress = new Uri($"http://127.0.0.1:{sandbox.Address.Port}");
        var asked = await sandbox.GetAsync("/");
        asked.Status.ShouldBe(HttpStatusCode.Unauthorized);
        asked.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Basic");
        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.Accepted);
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Secret.OfConfig}"));
        foreach (var header in new[] { $"Bearer {Secret.OfConfig}", $"Basic {basic}" })
        {
            sandbox.Client.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(header);
            (await sandbox.GetAsync("/sandbox/overview")).Status.ShouldBe(HttpStatusCode.OK);
            (await sandbox.PostAsync("/sandbox/faults", """{"path":"/api/v1/x","status":500}""")).Status.ShouldBe(
                HttpStatusCode.OK
            );
        }
        foreach (var wrong in new[] { "Bearer x", "Basic x", $"Basic {Secret.OfConfig}", "Negotiate" })
        {
            sandbox.Client.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(wrong);
            (await sandbox.GetAsync("/")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task AFaultNeedsAMediaTypeThatAForeignPageCannotSendUnasked()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync("/sandbox/faults", """{"path":"/api/v1/x","status":500}""", "text/plain");

        reply.Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "loopback only")]
    [InlineData("http://192.0.2.1:0", "loopback only")]
    [InlineData("https://127.0.0.1:0", "not an http:// URL")]
    [InlineData("8091", "not an http:// URL")]
    public async Task AnAddressThatIsOpenToOthersNeedsAGate(string url, string message)
    {
        var error = await Should.ThrowAsync<ArgumentException>(TestSandbox.StartAsync(o => o with { Urls = [url] }));

        error.Message.ShouldContain(message);
    }

    [Fact]
    public async Task ThePageIsOurOwnFilesUnderAStrictPolicy()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var page = await sandbox.GetAsync("/");

        page.Status.ShouldBe(HttpStatusCode.OK);
        var policy = page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        policy.ShouldStartWith("default-src 'none'");
        policy.ShouldNotContain("unsafe");
        foreach (var path in new[] { "/", "/page.css", "/page.js", "/chart.js", "/icon.svg" })
        {
            var file = await sandbox.GetAsync(path);
            file.Status.ShouldBe(HttpStatusCode.OK);
            file.Text.Replace("http://www.w3.org/2000/svg", "").ShouldNotContain("://", Case.Sensitive, path);
        }
    }

    [Fact]
    public async Task TheOverviewNamesMetricsAndEventsWithoutKeys()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        await sandbox.PutPointAsync("a", 1, 1, 0, "k:v");
        await sandbox.PostAsync("/api/v1/events", """{"title":"t","text":"x"}""");
        sandbox.Client.DefaultRequestHeaders.Clear();

        var overview = (await sandbox.GetAsync("/sandbox/overview")).Json;

        overview.GetProperty("metrics")[0].GetProperty("name").GetString().ShouldBe("a");
        overview.GetProperty("metrics")[0].GetProperty("type").GetString().ShouldBe("count");
        overview.GetProperty("events")[0].GetProperty("title").GetString().ShouldBe("t");
        overview.GetProperty("now").GetInt64().ShouldBe(sandbox.Now);
    }
}
