using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What becomes of facts that a plugin could not keep.</summary>
public sealed class UnkeptTests
{
    private const string Echo = "streamspace-echo";
    private const string Other = "streamspace-other";
    private const string Status = "api/plugins/echo/status";

    private static readonly string Built = Market.Built("plugins/streamspace-echo");

    [Theory]
    [InlineData("clean")]
    [InlineData("hang")]
    public async Task FactsThatAPluginCouldNotKeepAreToldToItsNextCopyOnce(string unload)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings, clock);
        await host.PutConfigAsync($$"""{"unload":"{{unload}}"}""");
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync(Status, s => (int?)s["feed"]?["behind"] == 0);
        BreakDisk(host, Echo);
        (await LogInAsync(host, "ben")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await LogInAsync(host, "cem")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync(Status, s => s["feed"]?["error"] is not null);

        var reloaded = PostAsync(host, $"api/plugins/{Echo}/reload");
        await clock.AdvanceUntilAsync(reloaded);
        (await reloaded).StatusCode.ShouldBe(HttpStatusCode.OK);
        // The end of the host waits by a clock that nobody moves any more.
        await host.PutConfigAsync("""{"unload":"clean"}""");
        File.Delete(Disk(host, Echo));
        await clock.AdvanceUntilAsync(host.UntilAsync(Status, s => (int?)s["feed"]?["behind"] == 0));
        Facts(host, Echo).Count.ShouldBe(3);
        Facts(host, Echo).ShouldBeUnique();

        await clock.AdvanceUntilAsync(PostAsync(host, $"api/plugins/{Echo}/reload"));
        (await LogInAsync(host, "dan")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync(Status, s => (int?)s["facts"] == 1);
        Facts(host, Echo).Count.ShouldBe(4, "what it has kept is not told again");
    }

    [Fact]
    public async Task FactsAtWhichAPluginWasIsolatedAreToldToTheNextCopy()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(
            market.Settings with
            {
                CallTimeout = TimeSpan.FromMilliseconds(500),
            }
        );
        await host.PutConfigAsync("""{"handle":"hang"}""");
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.UntilAsync(Status, s => (string?)s["state"] == "isolated");
        await host.PutConfigAsync("""{"handle":"count"}""");
        (await PostAsync(host, $"api/plugins/{Echo}/reload")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await host.UntilAsync(Status, s => (int?)s["facts"] == 1);
        Facts(host, Echo).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task WhatHappensWhileAPluginIsOffIsNotForItAndWhatItLackedBeforeIsGone()
    {
        var market = new Market();
        market.Lay(Built);
        market.Lay(Built, Other);
        await using var host = await TestHost.StartAsync(market.Settings);
        BreakDisk(host, Other);
        await LogInAsync(host, "ada");
        await PostAsync(host, $"api/plugins/{Other}/disable");
        File.Delete(Disk(host, Other));
        await LogInAsync(host, "ben");
        await host.UntilAsync(Status, s => (int?)s["facts"] == 2);
        await PostAsync(host, $"api/plugins/{Other}/enable");
        await LogInAsync(host, "cem");
        await host.UntilAsync("api/plugins/other/status", s => (int?)s["facts"] == 1);
        Facts(host, Other).ShouldHaveSingleItem();
        await host.UntilAsync(Status, s => (int?)s["facts"] == 3);
    }

    private static string Disk(TestHost host, string plugin) =>
        Path.Combine(host.Settings.DataFolder, plugin, "disk-fails");

    private static void BreakDisk(TestHost host, string plugin) => File.WriteAllText(Disk(host, plugin), "");

    private static IReadOnlyList<string> Facts(TestHost host, string plugin) =>
        File.ReadAllLines(Path.Combine(host.Settings.DataFolder, plugin, "facts"));

    private static Task<HttpResponseMessage> PostAsync(TestHost host, string path) =>
        host.SendAsync(HttpMethod.Post, path, host.Admin);

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
