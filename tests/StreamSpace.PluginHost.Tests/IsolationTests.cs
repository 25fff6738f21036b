using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A plugin that misbehaves costs itself, and nothing else.</summary>
public sealed class IsolationTests
{
    private const string Echo = "streamspace-echo";
    private const string Other = "streamspace-other";

    private static readonly string Built = Market.Built("plugins/streamspace-echo");

    [Fact]
    public async Task APluginThatIsNeverMadeIsIsolatedAndTheOthersRun()
    {
        var market = new Market();
        market.Lay(Built);
        market.Lay(Market.Built("faulty/streamspace-stillborn"));
        await using var host = await TestHost.StartAsync(Impatient(market));
        var states = await StatesAsync(host);
        states[Echo].ShouldBe("running");
        states["streamspace-stillborn"].ShouldBe("isolated");
    }

    [Fact]
    public async Task OneThatNeverTakesItsFirstConfigIsIsolatedAndTheHostStarts()
    {
        var market = new Market();
        market.Lay(Built);
        var settings = Impatient(market);
        await using var host = await TestHost.StartAsync(
            settings with
            {
                Environment = new Dictionary<string, string>(settings.Environment) { ["ECHO_CONFIG_HANGS"] = "yes" },
            }
        );
        (await StatesAsync(host))[Echo].ShouldBe("isolated");
        var reloaded = await host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/reload", host.Admin);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ((string)(await TestHost.BodyAsync(reloaded))["detail"]!).ShouldContain("taking a config");
    }

    [Fact]
    public async Task OneThatThrowsOverAConfigIsToldSoAndTheConfigBeforeStays()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings);
        // Where Echo wants to write a file.
        var file = Path.Combine(host.Settings.DataFolder, Echo, "key-length");
        File.Delete(file);
        Directory.CreateDirectory(file);
        foreach (var method in (HttpMethod[])[HttpMethod.Put, HttpMethod.Patch])
        {
            var path = method == HttpMethod.Put ? "api/plugins/echo/config" : "api/plugins/echo";
            var json = method == HttpMethod.Put ? """{"interval":77}""" : """{"config":{"interval":77}}""";
            var refused = await host.SendAsync(method, path, host.Admin, TestHost.Json(json));
            refused.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
            ((string)(await TestHost.BodyAsync(refused))["detail"]!).ShouldBe(
                "streamspace-echo failed over this config, which was not kept: "
                    + "Access to the path 'streamspace-echo/key-length' is denied."
            );
        }
        Directory.Delete(file);
        await host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/reload", host.Admin);
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(10);
    }

    [Fact]
    public async Task OneThatCannotTakeAConfigNowPutsOffItsCallerAndTheConfigBeforeStays()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings);
        var later = Path.Combine(host.Settings.DataFolder, Echo, "config-later");
        await File.WriteAllTextAsync(later, "", TestContext.Current.CancellationToken);
        var refused = await host.PutConfigAsync("""{"interval":77}""");
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        ((string)(await TestHost.BodyAsync(refused))["detail"]!).ShouldBe(
            "streamspace-echo cannot take a config now, and this one was not kept: The flush is held."
        );
        File.Delete(later);
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(10);
        (await host.PutConfigAsync("""{"interval":77}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task APropertyThatNeverAnswersIsolatesItsPluginAndTheHostServesOn()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(Impatient(market));
        (await host.PutConfigAsync("""{"status":"block"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["state"]).ShouldBe("isolated");
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task OneThatWasIsolatedIsConfiguredAndReloadedAndTheOldCopyIsSaidToStay()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(Impatient(market));
        await host.PutConfigAsync("""{"status":"block"}""");
        await host.ReadAsync("api/plugins/echo/status");
        (await StatesAsync(host))[Echo].ShouldBe("isolated");

        (await host.PutConfigAsync("""{"status":"say","interval":77}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var reloaded = await host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/reload", host.Admin);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.OK);
        var summary = await TestHost.BodyAsync(reloaded);
        ((string?)summary["state"]).ShouldBe("running");
        ((string?)summary["restart"]).ShouldNotBeNull().ShouldContain("still in memory");
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(77);
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task APluginThatIsOffCanBeConfiguredAndItsSchemaStillDecides()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings);
        await host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/disable", host.Admin);
        (await host.PutConfigAsync("""{"interval":301}""")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await host.PutConfigAsync($$"""{"interval":42,"key":"{{Secret.OfConfig}}"}""")).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
        var config = await host.ReadAsync("api/plugins/echo/config");
        ((int?)config["interval"]).ShouldBe(42);
        config.ContainsKey("key").ShouldBeFalse();
        await host.SendAsync(HttpMethod.Post, $"api/plugins/{Echo}/enable", host.Admin);
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(42);
    }

    [Fact]
    public async Task AnEndpointThatDoesNotAnswerIsCutOff()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(Impatient(market));
        var slow = await host.GetAsync("api/plugins/echo/slow");
        slow.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        slow.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        await Should.ThrowAsync<HttpRequestException>(() => host.GetAsync("api/plugins/echo/stuck"));
        (await StatesAsync(host))[Echo].ShouldBe("running");
    }

    [Fact]
    public async Task OneThatFailsAtFactsDelaysNoOtherAndNobodyWhoPostsAndHasThemOnceItCan()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        var market = new Market();
        market.Lay(Built);
        market.Lay(Built, Other);
        await using var host = await TestHost.StartAsync(market.Settings, clock);
        (await ConfigureAsync(host, "throw")).StatusCode.ShouldBe(HttpStatusCode.OK);

        // By a clock that stands: whoever waited for the one that fails would wait for ever.
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await LogInAsync(host, "ben")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync("api/plugins/echo/status", s => (int?)s["facts"] == 2);
        var failing = await host.UntilAsync("api/plugins/other/status", s => s["readinessError"] is not null);
        ((string?)failing["readinessError"]).ShouldNotBeNull().ShouldContain("Not this one.");
        ((int?)failing["feed"]!["behind"]).ShouldBe(2);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        for (var minute = 0; minute < 60; minute++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            ((int?)(await host.ReadAsync("api/plugins/other/status"))["feed"]!["behind"]).ShouldBe(2);
        }
        (await ConfigureAsync(host, "count")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await clock.AdvanceUntilAsync(host.UntilAsync("api/plugins/other/status", s => (int?)s["facts"] == 2));
        (await LogInAsync(host, "cem")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var back = await host.UntilAsync("api/plugins/other/status", s => (int?)s["facts"] == 3);
        back["readinessError"].ShouldBeNull();
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static HostSettings Impatient(Market market) =>
        market.Settings with
        {
            CallTimeout = TimeSpan.FromMilliseconds(500),
        };

    private static Task<HttpResponseMessage> ConfigureAsync(TestHost host, string handle) =>
        host.SendAsync(
            HttpMethod.Put,
            "api/plugins/other/config",
            host.Admin,
            TestHost.Json($$"""{"handle":"{{handle}}"}""")
        );

    private static async Task<Dictionary<string, string>> StatesAsync(TestHost host) =>
        ((JsonArray)(await host.ReadAsync("api/plugins"))["plugins"]!).ToDictionary(
            p => (string)p!["name"]!,
            p => (string)p!["state"]!
        );

    private static Task<HttpResponseMessage> LogInAsync(TestHost host, string user) =>
        host.SendAsync(
            HttpMethod.Post,
            "api/events",
            host.Admin,
            TestHost.Json(
                $$$"""{"event":"user.login","timestamp":"{{{host.Begun:O}}}","data":{"user_id":"{{{user}}}"}}"""
            )
        );
}
