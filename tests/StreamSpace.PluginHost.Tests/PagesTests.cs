using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

public sealed class PagesTests
{
    [Fact]
    public async Task ThePageIsServedUnderAStrictPolicy()
    {
        await using var host = await TestHost.StartAsync();
        foreach (var path in new[] { "", "page.js", "page.css", "icon.svg" })
        {
            var response = await host.SendAsync(HttpMethod.Get, path);
            response.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            policy.ShouldStartWith("default-src 'none'");
            policy.ShouldNotContain("unsafe");
        }
    }

    [Fact]
    public async Task ThePageReadsOnlyWhatTheStatusDocumentSays()
    {
        await using var host = await TestHost.StartAsync();
        var script = await (await host.GetAsync("page.js")).Content.ReadAsStringAsync(
            TestContext.Current.CancellationToken
        );
        var document = await host.ReadAsync("api/status");
        var said = new Dictionary<string, JsonObject>
        {
            ["host"] = document,
            ["host.verdict"] = document["verdict"]!.AsObject(),
            ["source"] = document["sources"]![0]!.AsObject(),
            ["summary"] = document["plugins"]![0]!.AsObject(),
        };
        foreach (Match read in Regex.Matches(script, @"\b(host\.verdict|host|source|summary)\.(\w+)"))
        {
            said[read.Groups[1].Value].ContainsKey(read.Groups[2].Value).ShouldBeTrue(read.Value);
        }
        script.ShouldContain("host.verdict.state");
    }

    [Fact]
    public async Task TheApiDescriptionHoldsTheHostsAndThePluginsEndpoints()
    {
        await using var host = await TestHost.StartAsync();
        var response = await host.SendAsync(HttpMethod.Get, "openapi/v1.json");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var document = await TestHost.BodyAsync(response);
        var paths = (JsonObject)document["paths"]!;
        foreach (
            var path in new[]
            {
                "/healthz",
                "/readyz",
                "/api/status",
                "/api/plugins/echo/config",
                "/api/plugins/echo/status",
                "/api/plugins/echo/echo",
            }
        )
        {
            paths.ContainsKey(path).ShouldBeTrue(path);
        }
        ((string?)document["components"]!["securitySchemes"]!["bearer"]!["scheme"]).ShouldBe("bearer");
        var put = paths["/api/plugins/echo/config"]!["put"]!;
        put["security"]!.AsArray().Count.ShouldBe(1);
        var answers = put["responses"]!.AsObject().Select(r => r.Key);
        answers.ShouldBe(["200", "400", "401", "403", "404", "412", "413", "415", "503"], ignoreOrder: true);
        paths["/healthz"]!["get"]!.AsObject().ContainsKey("security").ShouldBeFalse();
        var example = paths["/api/plugins/echo/echo"]!["post"]!["requestBody"]!["content"]!["application/json"]![
            "example"
        ];
        ((string?)example!["say"]).ShouldBe("hello");
    }

    [Fact]
    public async Task TwoPluginsMayNameTheirEndpointsAlike()
    {
        var market = new Market();
        market.Lay(Market.Built("plugins/streamspace-echo"));
        market.Lay(Market.Built("plugins/streamspace-echo"), "streamspace-other");
        await using var host = await TestHost.StartAsync(market.Settings);
        var paths = (await host.ReadAsync("openapi/v1.json"))["paths"]!;
        ((string?)paths["/api/plugins/echo/echo"]!["post"]!["operationId"]).ShouldBe("echo.GiveBack");
        ((string?)paths["/api/plugins/other/echo"]!["post"]!["operationId"]).ShouldBe("other.GiveBack");
    }

    [Fact]
    public async Task TheDescriptionNamesTheErrorsOfARefusedConfig()
    {
        await using var host = await TestHost.StartAsync();
        var document = await host.ReadAsync("openapi/v1.json");
        var refused = document["paths"]!["/api/plugins/echo/config"]!["put"]!["responses"]!["400"]!["content"]!;
        var schema = (string)refused["application/problem+json"]!["schema"]!["$ref"]!;
        var properties = document["components"]!["schemas"]![schema.Split('/')[^1]]!["properties"]!.AsObject();
        properties.ContainsKey("errors").ShouldBeTrue();
    }

    [Fact]
    public async Task BehindAProxysPathEverythingIsUnderIt()
    {
        await using var host = await TestHost.StartAsync(TestHost.NewSettings() with { PathBase = "/datadog" });
        host.SignInLink.AbsolutePath.ShouldBe("/datadog/sign-in");
        var signedIn = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        new Uri(host.SignInLink, signedIn.Headers.Location!).AbsolutePath.ShouldBe("/datadog/");
        signedIn.Headers.GetValues("Set-Cookie").Single().ShouldContain("path=/datadog");
        (await host.GetAsync("/datadog/api/plugins/echo/config")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var document = await host.ReadAsync("/datadog/openapi/v1.json");
        ((string?)document["servers"]![0]!["url"]).ShouldNotBeNull().ShouldEndWith("/datadog");
    }
}
