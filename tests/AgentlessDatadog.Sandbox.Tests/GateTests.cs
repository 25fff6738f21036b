using System.Net;
using SandboxHost = AgentlessDatadog.Sandbox.Tests.Support.Sandbox;

namespace AgentlessDatadog.Sandbox.Tests;

public sealed class GateTests
{
    private static readonly string[] Gated =
    [
        "/",
        "/page.js",
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
        await using var sandbox = await SandboxHost.StartAsync(o => o with { Gate = _ => false });

        foreach (var path in Gated)
        {
            (await sandbox.GetAsync(path)).Status.ShouldBe(HttpStatusCode.Unauthorized, path);
        }
        (await sandbox.PostAsync("/sandbox/faults", "{}")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await sandbox.GetAsync("/api/v1/validate")).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.PutPointAsync("a", 3, 1)).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task WithoutAGateAForeignHostNameIsShutOut()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        (await sandbox.GetAsync("/sandbox/overview")).Status.ShouldBe(HttpStatusCode.OK);

        sandbox.Client.DefaultRequestHeaders.Host = "rebound.example";

        (await sandbox.GetAsync("/sandbox/overview")).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task AFaultNeedsAMediaTypeThatAForeignPageCannotSendUnasked()
    {
        await using var sandbox = await SandboxHost.StartAsync();

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
        var error = await Should.ThrowAsync<ArgumentException>(SandboxHost.StartAsync(o => o with { Urls = [url] }));

        error.Message.ShouldContain(message);
    }

    [Fact]
    public async Task ThePageIsOurOwnFilesUnderAStrictPolicy()
    {
        await using var sandbox = await SandboxHost.StartAsync();

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
        await using var sandbox = await SandboxHost.StartAsync();
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
