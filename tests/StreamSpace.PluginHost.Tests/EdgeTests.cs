using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What is told to whom, and where things are fetched from.</summary>
public sealed class EdgeTests
{
    private const string Catalog = "api/plugins/catalog";

    private static readonly string[] Everywhere =
    [
        "",
        "page.js",
        "icon.svg",
        "healthz",
        "readyz",
        "sign-in",
        "api/status",
        "api/plugins",
        "api/plugins/echo/status",
        "openapi/v1.json",
        "nothing",
    ];

    [Fact]
    public async Task AForeignHostNameIsAnsweredOnNoRoute()
    {
        await using var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                PublicUrl = new Uri("https://watch.example/datadog/"),
            }
        );
        foreach (var path in Everywhere)
        {
            var foreign = await AskAsync(host, path, "rebound.example");
            foreign.StatusCode.ShouldBe(HttpStatusCode.MisdirectedRequest, path);
            ((string?)(await TestHost.BodyAsync(foreign))["detail"]).ShouldNotBeNull().ShouldContain("Host header");
            foreach (var own in new[] { "localhost", "127.0.0.1:1", "[::1]", "watch.example" })
            {
                (await AskAsync(host, path, own)).StatusCode.ShouldNotBe(HttpStatusCode.MisdirectedRequest, path);
            }
        }
    }

    [Fact]
    public async Task HeadIsAnsweredWhereverGetIsWithItsHeadersAndWithoutABody()
    {
        await using var host = await TestHost.StartAsync();
        var described = (await host.ReadAsync("openapi/v1.json"))["paths"]!
            .AsObject()
            .Where(path => path.Value!["get"] is not null)
            .Select(path => path.Key.TrimStart('/'));
        foreach (var path in Everywhere.Union(described))
        {
            foreach (var token in new[] { null, host.Admin })
            {
                using var get = await host.SendAsync(HttpMethod.Get, path, token);
                using var head = await host.SendAsync(HttpMethod.Head, path, token);
                head.StatusCode.ShouldBe(get.StatusCode, path);
                head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType, path);
                (await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty(path);
            }
        }
    }

    [Fact]
    public async Task OnlyOurOwnFilesMayBeDurable()
    {
        await using var host = await TestHost.StartAsync();
        foreach (var path in Everywhere)
        {
            var answer = await host.GetAsync(path);
            answer.Headers.CacheControl!.NoStore.ShouldBe(path is not ("" or "page.js" or "icon.svg"), path);
        }
    }

    [Fact]
    public async Task AUserSeesFiguresAndStatesWithoutPathsAndAddresses()
    {
        await using var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                SandboxUrls = ["http://127.0.0.1:0"],
                Environment = new Dictionary<string, string> { ["NATS_URL"] = "nats://127.0.0.1:1" },
            }
        );
        var user = host.Tokens.Issue(Roles.User, TimeSpan.FromHours(1));
        foreach (var path in new[] { "api/status", "api/plugins", "api/plugins/echo/status" })
        {
            var shown = (await TestHost.BodyAsync(await host.SendAsync(HttpMethod.Get, path, user))).ToJsonString();
            shown.ShouldContain("running");
            shown.ShouldNotContain("/", Case.Sensitive, path);
            shown.ShouldNotContain("127.0.0.1", Case.Sensitive, path);
            (await host.ReadAsync(path)).ToJsonString().ShouldContain("/", Case.Sensitive, path);
        }
        foreach (var path in new[] { Catalog, "api/plugins/echo/config" })
        {
            (await host.SendAsync(HttpMethod.Get, path, user)).StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task WhatIsInTheWayIsToldToOperatorsAndToOthersThatItIs()
    {
        var settings = TestHost.NewSettings();
        // Where the test plugin wants to write a file.
        Directory.CreateDirectory(Path.Combine(settings.DataFolder, "streamspace-echo", "key-length"));
        await using var host = await TestHost.StartAsync(settings);
        (await ReadinessAsync(host, host.Admin)).ShouldContain("key-length");
        foreach (var token in new[] { null, host.Tokens.Issue(Roles.User, TimeSpan.FromHours(1)) })
        {
            (await ReadinessAsync(host, token)).ShouldStartWith("failing: something that is enabled cannot");
        }

        static async Task<string> ReadinessAsync(TestHost host, string? token)
        {
            var answer = await host.SendAsync(HttpMethod.Get, "readyz", token);
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            return (string)(await TestHost.BodyAsync(answer))["detail"]!;
        }
    }

    [Fact]
    public async Task NothingSaysAllIsWellWhileNothingIsSent()
    {
        // The Datadog plugin takes and keeps everything, and sends nothing, for it has no key.
        await using var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                PluginsFolder = Path.Combine(AppContext.BaseDirectory, "ours"),
                Environment = new Dictionary<string, string> { ["DD_SITE"] = "datadoghq.eu" },
            }
        );
        var verdict = (await host.ReadAsync("api/status"))["verdict"]!;
        ((string?)verdict["state"]).ShouldBe("failing");
        (await ReadyAsync(host, host.Admin)).ShouldBe($"failing: {verdict["sentence"]} {verdict["fix"]}");
        (await ReadyAsync(host, token: null)).ShouldBe(
            "failing: something waits or is lost until it is mended. Sign in to see what, or ask an operator."
        );

        await host.SendAsync(HttpMethod.Post, "api/plugins/datadog/disable", host.Admin);
        (await ReadyAsync(host, host.Admin)).ShouldContain(
            "is switched off here, by a call of the API: nothing is collected, and nothing is sent. Enable it: POST "
        );
        (await ReadyAsync(host, token: null)).ShouldStartWith("degraded: it works");

        static async Task<string> ReadyAsync(TestHost host, string? token)
        {
            var answer = await host.SendAsync(HttpMethod.Get, "readyz", token);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, "it can take and keep data");
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task ABrowserThatTheLinkLetInSeesAllAndItsCookieChangesNothing()
    {
        await using var host = await TestHost.StartAsync();
        var signedIn = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var seen = await TestHost.BodyAsync(await host.SendAsync(HttpMethod.Get, "api/status", cookie: cookie));
        ((string?)seen["dataFolder"]).ShouldNotBeNull();
        var copied = cookie.Split('=', 2)[1];
        (
            await host.SendAsync(HttpMethod.Post, "api/plugins/echo/reload", copied, TestHost.Json("{}"))
        ).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task ASandboxBeyondThisMachineIsReadWithARoleAndChangedByOperators()
    {
        await using var host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                SandboxUrls = ["http://0.0.0.0:0"],
            }
        );
        var sandbox = (string)(await host.ReadAsync("api/status"))["sandbox"]!;
        const string fault = """{"path":"/api/v1/x","status":500}""";
        foreach (
            var (token, read, written) in new[]
            {
                (null, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized),
                (Roles.User, HttpStatusCode.OK, HttpStatusCode.Forbidden),
                (Roles.Viewer, HttpStatusCode.OK, HttpStatusCode.Forbidden),
                (Roles.Operator, HttpStatusCode.OK, HttpStatusCode.OK),
                (Roles.Admin, HttpStatusCode.OK, HttpStatusCode.OK),
            }
        )
        {
            var good = token is null ? null : host.Tokens.Issue(token, TimeSpan.FromHours(1));
            foreach (var path in new[] { "", "sandbox/overview", "sandbox/faults" })
            {
                (await host.SendAsync(HttpMethod.Get, sandbox + path, good)).StatusCode.ShouldBe(
                    read,
                    $"{token} {path}"
                );
            }
            (
                await host.SendAsync(HttpMethod.Post, $"{sandbox}sandbox/faults", good, TestHost.Json(fault))
            ).StatusCode.ShouldBe(written, token);
        }
    }

    [Theory]
    [InlineData("http://catalog.invalid/offers", "over https")]
    [InlineData("http://192.0.2.7:8080", "over https")]
    public async Task ACatalogueOverPlainHttpIsNotAsked(string location, string reason)
    {
        await using var host = await TestHost.StartAsync(With(location));
        var answer = await host.GetAsync(Catalog);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        ((string?)(await TestHost.BodyAsync(answer))["detail"]).ShouldNotBeNull().ShouldContain(reason);
    }

    [Fact]
    public async Task WhatACatalogueNamesElsewhereIsNotFetchedOverPlainHttp()
    {
        var folder = TestRun.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "catalog.json"),
            $$"""
            [{"name":"streamspace-echo","version":"1.2.3","downloadUrl":"http://192.0.2.7/e.tar.gz","sha256":"{{new string(
                '0',
                64
            )}}"}]
            """,
            TestContext.Current.CancellationToken
        );
        await using var host = await TestHost.StartAsync(With(folder));
        var answer = await host.SendAsync(
            HttpMethod.Post,
            $"{Catalog}/streamspace-echo/install",
            host.Admin,
            TestHost.Json("{}")
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        ((string?)(await TestHost.BodyAsync(answer))["detail"]).ShouldNotBeNull().ShouldContain("over https");
    }

    [Fact]
    public async Task ARedirectOfACatalogueIsNotFollowed()
    {
        var followed = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        server.MapGet("/offers/catalog.json", () => Results.Redirect("/elsewhere"));
        server.MapGet(
            "/elsewhere",
            () =>
            {
                Interlocked.Increment(ref followed);
                return Results.Json(new JsonArray());
            }
        );
        await server.StartAsync(TestContext.Current.CancellationToken);
        await using var host = await TestHost.StartAsync(With($"{server.Urls.Single()}/offers"));
        var answer = await host.GetAsync(Catalog);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        ((string?)(await TestHost.BodyAsync(answer))["detail"]).ShouldNotBeNull().ShouldContain("redirect");
        followed.ShouldBe(0);
    }

    [Fact]
    public async Task ACatalogueWhoseConnectionIsResetIsToldInTheSystemsWords()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var resetting = ResetAllAsync(listener);
        await using var host = await TestHost.StartAsync(With($"http://{listener.LocalEndpoint}/offers"));
        var answer = await host.GetAsync(Catalog);
        ((string?)(await TestHost.BodyAsync(answer))["detail"])
            .ShouldNotBeNull()
            .ShouldContain("Connection reset by peer");
        listener.Stop();
        await Task.WhenAny(resetting);

        static async Task ResetAllAsync(TcpListener listener)
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                await socket.ReceiveAsync(new byte[1]);
                socket.LingerState = new LingerOption(true, 0);
            }
        }
    }

    [Theory]
    [InlineData("db.example", null, "nats://nats.example:4222", true, 2)]
    [InlineData("db.example", "verify-full", "tls://nats.example:4222", true, 0)]
    [InlineData("127.0.0.1", null, "nats://localhost:4222", true, 0)]
    [InlineData("db.example", null, "nats://nats.example", false, 0)]
    public void APasswordThatLeavesThisMachineInClearTextIsAWarning(
        string database,
        string? ssl,
        string nats,
        bool passwords,
        int warnings
    )
    {
        var environment = new Dictionary<string, string> { ["DB_HOST"] = database, ["NATS_URL"] = nats };
        if (ssl is not null)
        {
            environment["DB_SSL_MODE"] = ssl;
        }
        if (passwords)
        {
            environment["DB_PASSWORD"] = Secret.ReaderPassword;
            environment["NATS_PASSWORD"] = Secret.NatsPassword;
        }
        var told = new HostSettings { Environment = environment }.EnvironmentWarnings;
        told.Count.ShouldBe(warnings);
        told.ShouldAllBe(warning => !warning.Found.Contains("5ec3e7"));
    }

    private static HostSettings With(string catalog) =>
        TestHost.NewSettings() with
        {
            PluginsFolder = TestRun.NewFolder(),
            Environment = new Dictionary<string, string> { ["CATALOG_URL"] = catalog },
        };

    private static Task<HttpResponseMessage> AskAsync(TestHost host, string path, string name)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = name;
        return host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
