using System.Net;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>One copy of a plugin takes the place of another, and nobody notices but by its code.</summary>
public sealed class ExchangeTests
{
    private const string Echo = "streamspace-echo";
    private const string Status = "api/plugins/echo/status";

    private static readonly string Now = Market.Built("plugins/streamspace-echo");
    private static readonly string Next = Market.Built("next/streamspace-echo");

    [Fact]
    public async Task WhatHappensDuringReloadsAndAnUpdateIsToldOnceAndTheUpdateIsNewCode()
    {
        var market = new Market();
        market.Lay(Now);
        market.Offer(Next, "1.2.4");
        var settings = market.Settings;
        await using var host = await TestHost.StartAsync(settings);
        ((string?)(await host.ReadAsync(Status))["code"]).ShouldBe("1.0.0");

        var told = 0;
        for (var reloads = 0; reloads < 3; reloads++)
        {
            await WhileToldAsync($"api/plugins/{Echo}/reload", HttpStatusCode.OK);
        }
        await WhileToldAsync($"api/plugins/catalog/{Echo}/install", HttpStatusCode.Created);

        var status = await host.ReadAsync(Status);
        ((string?)status["code"], (string?)status["version"]).ShouldBe(("1.2.4", "1.2.4"));
        await host.UntilAsync(Status, s => (int?)s["feed"]?["behind"] == 0 && (long)s["snapshots"]! == 1);
        var facts = await File.ReadAllLinesAsync(
            Path.Combine(settings.DataFolder, Echo, "facts"),
            TestContext.Current.CancellationToken
        );
        facts.ShouldBeUnique();
        facts.Length.ShouldBe(told);

        async Task WhileToldAsync(string path, HttpStatusCode expected)
        {
            var telling = Enumerable.Range(told, 40).Select(n => LogInAsync(host, $"user-{n}")).ToList();
            told += telling.Count;
            (await PostAsync(host, path)).StatusCode.ShouldBe(expected);
            (await Task.WhenAll(telling)).ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.Accepted);
        }
    }

    [Fact]
    public async Task AVersionThatCannotBeLoadedIsTakenBackAndTheOneBeforeRunsOn()
    {
        var market = new Market();
        market.Lay(Now);
        market.Offer(Next, "1.2.4", folder => File.WriteAllText(Path.Combine(folder, "Echo.dll"), "no assembly"));
        await using var host = await TestHost.StartAsync(market.Settings);
        await host.PutConfigAsync("""{"interval":42}""");
        var refused = await PostAsync(host, $"api/plugins/catalog/{Echo}/install");
        refused.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string?)(await TestHost.BodyAsync(refused))["detail"]).ShouldNotBeNull().ShouldContain("1.2.3 is back");
        var status = await host.ReadAsync(Status);
        ((string?)status["version"], (string?)status["state"]).ShouldBe(("1.2.3", "running"));
        ((int?)(await host.ReadAsync("api/plugins/echo/config"))["interval"]).ShouldBe(42);
        Directory.GetFileSystemEntries(market.Plugins).ShouldHaveSingleItem();
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task ANewPluginThatCannotBeLoadedLeavesNothing()
    {
        var market = new Market();
        market.Offer(Next, "1.2.4", folder => File.WriteAllText(Path.Combine(folder, "Echo.dll"), "no assembly"));
        await using var host = await TestHost.StartAsync(market.Settings);
        var refused = await PostAsync(host, $"api/plugins/catalog/{Echo}/install");
        refused.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        Directory.GetFileSystemEntries(market.Plugins).ShouldBeEmpty();
        ((int?)(await host.ReadAsync("api/plugins"))["total"]).ShouldBe(0);
    }

    [Fact]
    public async Task ACopyThatWasLetGoOfLeavesTheMemory()
    {
        var market = new Market();
        market.Lay(Now);
        await using var host = await TestHost.StartAsync(market.Settings);
        await LogInAsync(host, "ada");
        await host.GetAsync("api/plugins/echo/own-package");
        await host.GetAsync("openapi/v1.json");
        var reloaded = await PostAsync(host, $"api/plugins/{Echo}/reload");
        (await TestHost.BodyAsync(reloaded))["restart"].ShouldBeNull();
    }

    [Fact]
    public async Task OurOwnPluginLeavesTheMemoryToo()
    {
        var market = new Market();
        market.Lay(Market.Built("ours/streamspace-datadog"));
        var settings = market.Settings with { SandboxUrls = ["http://127.0.0.1:0"] };
        await using var host = await TestHost.StartAsync(settings);
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await host.ReadAsync("api/plugins/datadog/status");
        await host.ReadAsync("openapi/v1.json");
        var reloaded = await PostAsync(host, "api/plugins/datadog/reload");
        reloaded.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await TestHost.BodyAsync(reloaded))["restart"].ShouldBeNull();
    }

    [Fact]
    public async Task WhatACrashLeftInTheMiddleOfAnUpdateIsPutRightAtTheStart()
    {
        var market = new Market();
        market.Lay(Now);
        Directory.Move(Path.Combine(market.Plugins, Echo), Path.Combine(market.Plugins, $".before-{Echo}"));
        Directory.CreateDirectory(Path.Combine(market.Plugins, ".incoming-1"));
        await using var host = await TestHost.StartAsync(market.Settings);
        ((string?)(await host.ReadAsync(Status))["state"]).ShouldBe("running");
        Directory.GetFileSystemEntries(market.Plugins).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task UninstallingTakesTheLogAndLeavesThatOfAPluginWithALongerName()
    {
        var market = new Market();
        market.Lay(Now);
        market.Lay(Now, "streamspace-echo-two");
        var settings = market.Settings;
        await using var host = await TestHost.StartAsync(settings);
        (await host.SendAsync(HttpMethod.Delete, $"api/plugins/{Echo}", host.Admin)).StatusCode.ShouldBe(
            HttpStatusCode.NoContent
        );
        var logs = Directory.GetFiles(settings.LogFolder).Select(f => Path.GetFileName(f)!).ToList();
        logs.ShouldNotBeEmpty();
        logs.ShouldAllBe(log => log.StartsWith("echo-two"));
        Directory.GetFileSystemEntries(market.Plugins).ShouldHaveSingleItem();
    }

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
