using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What becomes of facts that a plugin has taken and could not keep when it is let go of.</summary>
public sealed class UnkeptTests
{
    private const string Echo = "streamspace-echo";
    private const string Other = "streamspace-other";

    private static readonly string Built = Market.Built("plugins/streamspace-echo");

    [Theory]
    [InlineData("clean")]
    [InlineData("hang")]
    public async Task WhatAPluginCouldNotKeepIsToldToTheNextCopyUnderTheSameId(string unload)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings, clock);
        await host.PutConfigAsync($$"""{"unload":"{{unload}}"}""");
        BreakDisk(host, Echo);
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        // The watch ticks on while the copy is let go of.
        var reloaded = PostAsync(host, $"api/plugins/{Echo}/reload");
        await clock.AdvanceUntilAsync(reloaded);
        (await reloaded).StatusCode.ShouldBe(HttpStatusCode.OK);
        // The end of the host waits by a clock that nobody moves any more.
        await host.PutConfigAsync("""{"unload":"clean"}""");
        var facts = Facts(host, Echo);
        facts.Count.ShouldBe(2);
        facts[1].ShouldBe(facts[0]);
        ((long?)(await host.ReadAsync("api/plugins/echo/status"))["baselines"]).ShouldBe(2);

        File.Delete(Disk(host, Echo));
        (await LogInAsync(host, "ben")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await clock.AdvanceUntilAsync(PostAsync(host, $"api/plugins/{Echo}/reload"));
        Facts(host, Echo).Count.ShouldBe(3, "what it has kept is not told again");
    }

    [Fact]
    public async Task ABatchThatIsolatedItsPluginIsToldToTheNextCopy()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(
            market.Settings with
            {
                CallLimit = TimeSpan.FromMilliseconds(500),
            }
        );
        await host.PutConfigAsync("""{"handle":"hang"}""");
        (await LogInAsync(host, "ada")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["state"]).ShouldBe("isolated");
        await host.PutConfigAsync("""{"handle":"count"}""");
        (await PostAsync(host, $"api/plugins/{Echo}/reload")).StatusCode.ShouldBe(HttpStatusCode.OK);
        Facts(host, Echo).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task WhatAPluginThatIsSwitchedOffCouldNotKeepIsSaidToBeLostAndOwedNoMore()
    {
        var market = new Market();
        market.Lay(Built);
        market.Lay(Built, Other);
        await using var host = await TestHost.StartAsync(market.Settings);
        BreakDisk(host, Other);
        await LogInAsync(host, "ada");
        await PostAsync(host, $"api/plugins/{Other}/disable");
        File.Delete(Disk(host, Other));
        // Whatever is paid is paid by then.
        await LogInAsync(host, "ben");
        await PostAsync(host, $"api/plugins/{Other}/enable");
        Facts(host, Other).ShouldHaveSingleItem();
        Facts(host, Echo).Count.ShouldBe(2);
        var log = Path.Combine(host.Settings.LogFolder, "other.log");
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldContain(
            "what its memory held is lost"
        );
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
