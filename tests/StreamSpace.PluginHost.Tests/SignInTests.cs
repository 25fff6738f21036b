using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

public sealed class SignInTests
{
    private const string Config = "api/plugins/echo/config";

    [Fact]
    public async Task ACallWithoutATokenIsToldHowToGetOne()
    {
        await using var host = await TestHost.StartAsync();
        var response = await host.SendAsync(HttpMethod.Get, Config);
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ShouldBe([new AuthenticationHeaderValue("Bearer")]);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        ((string?)(await TestHost.BodyAsync(response))["detail"]).ShouldNotBeNull().ShouldContain("token");
    }

    [Theory]
    [InlineData("user", HttpStatusCode.Forbidden)]
    [InlineData("operator", HttpStatusCode.OK)]
    [InlineData("admin", HttpStatusCode.OK)]
    [InlineData("owner", HttpStatusCode.Forbidden)]
    public async Task EveryoneReadsAndOnlyOperatorsAndAdminsWrite(string role, HttpStatusCode written)
    {
        await using var host = await TestHost.StartAsync();
        var token = host.Tokens.Issue(role, TimeSpan.FromHours(1));
        (await host.SendAsync(HttpMethod.Get, "api/status", token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var put = await host.SendAsync(HttpMethod.Put, Config, token, TestHost.Json("{}"));
        put.StatusCode.ShouldBe(written);
        if (written is HttpStatusCode.Forbidden)
        {
            (await TestHost.BodyAsync(put))["detail"]!.GetValue<string>().ShouldContain($"\"{role}\"");
        }
        var posted = await host.SendAsync(HttpMethod.Post, "api/plugins/echo/echo", token, TestHost.Json("{}"));
        posted.StatusCode.ShouldBe(written);
    }

    [Fact]
    public async Task WhoeverGuessesIsToldToWaitAndAGoodTokenIsNeverHeldUp()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        await using var host = await TestHost.StartAsync(clock: clock);
        for (var i = 0; i < 30; i++)
        {
            (await host.SendAsync(HttpMethod.Get, Config, "guess")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
        var slower = await host.SendAsync(HttpMethod.Get, Config, "guess");
        slower.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        slower.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        (await host.GetAsync(Config)).StatusCode.ShouldBe(HttpStatusCode.OK);
        clock.Advance(TimeSpan.FromMinutes(1));
        (await host.SendAsync(HttpMethod.Get, Config, "guess")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task TheLinkSignsInOnceAndForReadingOnly()
    {
        await using var host = await TestHost.StartAsync();
        var first = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        first.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        new Uri(host.SignInLink, first.Headers.Location!).AbsolutePath.ShouldBe("/");
        var setting = first.Headers.GetValues("Set-Cookie").Single();
        setting.ShouldContain("httponly");
        setting.ShouldContain("samesite=strict");
        var cookie = setting.Split(';')[0];

        (await host.SendAsync(HttpMethod.Get, Config, cookie: cookie)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var asToken = await host.SendAsync(HttpMethod.Put, Config, cookie.Split('=', 2)[1], TestHost.Json("{}"));
        asToken.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Post, HttpMethod.Delete, HttpMethod.Patch })
        {
            var written = await host.SendAsync(method, Config, body: TestHost.Json("{}"), cookie: cookie);
            written.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, method.ToString());
        }

        var second = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        second.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        second.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task ANewLinkIsMadeWithoutARestartAndEndsTheOneBefore()
    {
        await using var host = await TestHost.StartAsync();
        var user = host.Tokens.Issue(Roles.User, TimeSpan.FromHours(1));
        (await host.SendAsync(HttpMethod.Post, "api/sign-in-link", user)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var made = await host.SendAsync(HttpMethod.Post, "api/sign-in-link", host.Admin);
        var link = new Uri((string)(await TestHost.BodyAsync(made))["link"]!);
        var old = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        old.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var signedIn = await host.SendAsync(HttpMethod.Get, link.ToString());
        signedIn.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await host.SendAsync(HttpMethod.Get, link.ToString())).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public void ACodeIsGoodForTenMinutesAndUntilTheNextOne()
    {
        var clock = new FakeTimeProvider();
        var codes = new SignInCodes(clock);
        var first = codes.Issue();
        clock.Advance(TimeSpan.FromMinutes(10));
        codes.Redeem(first).ShouldBeFalse();
        var second = codes.Issue();
        codes.Redeem(codes.Issue()).ShouldBeTrue();
        codes.Redeem(second).ShouldBeFalse();
        codes.Redeem("").ShouldBeFalse();
    }

    [Fact]
    public async Task APluginCannotOpenAnEndpointToEveryone()
    {
        await using var host = await TestHost.StartAsync();
        var response = await host.SendAsync(HttpMethod.Get, "api/plugins/echo/open");
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task WhoeverSignsOutTakesTheCookieWithHimAlsoOverARestart()
    {
        var settings = TestHost.NewSettings();
        string cookie;
        await using (var host = await TestHost.StartAsync(settings))
        {
            var signedIn = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
            cookie = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
            var other = await host.SendAsync(HttpMethod.Post, "sign-out");
            other.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            (await host.SendAsync(HttpMethod.Get, Config, cookie: cookie)).StatusCode.ShouldBe(HttpStatusCode.OK);

            var signedOut = await host.SendAsync(HttpMethod.Post, "sign-out", cookie: cookie);
            signedOut.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            signedOut.Headers.GetValues("Set-Cookie").Single().ShouldContain("expires=Thu, 01 Jan 1970");
            await IsRefusedAsync(host);
        }
        await using (var host = await TestHost.StartAsync(settings))
        {
            await IsRefusedAsync(host);
        }

        async Task IsRefusedAsync(TestHost host)
        {
            var asCookie = await host.SendAsync(HttpMethod.Get, Config, cookie: cookie);
            asCookie.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            var asToken = await host.SendAsync(HttpMethod.Get, Config, cookie.Split('=', 2)[1]);
            asToken.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task BehindAProxyThatEndsTlsTheCookieGoesOverHttpsAlone()
    {
        var settings = TestHost.NewSettings() with { PublicUrl = new Uri("https://datadog.example.com/plugins/") };
        await using var host = await TestHost.StartAsync(settings);
        host.SignInLink.ToString().ShouldStartWith("https://datadog.example.com/plugins/sign-in?code=");
        var made = await host.SendAsync(HttpMethod.Post, "api/sign-in-link", host.Admin);
        var link = new Uri((string)(await TestHost.BodyAsync(made))["link"]!);
        link.ToString().ShouldStartWith("https://datadog.example.com/plugins/sign-in?code=");

        // As the proxy passes it on, its own prefix taken away.
        var signedIn = await host.SendAsync(HttpMethod.Get, $"sign-in{link.Query}");
        new Uri(link, signedIn.Headers.Location!).ShouldBe(settings.PublicUrl);
        IsForThere(signedIn);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        IsForThere(await host.SendAsync(HttpMethod.Post, "sign-out", cookie: cookie));

        static void IsForThere(HttpResponseMessage response)
        {
            var setting = response.Headers.GetValues("Set-Cookie").Single().Split("; ");
            setting.ShouldContain("secure");
            setting.ShouldContain("httponly");
            setting.ShouldContain("samesite=strict");
            setting.ShouldContain("path=/plugins");
        }
    }
}
