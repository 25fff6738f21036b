using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A plugin goes, whoever else is at it, and takes along what is its own and nothing else.</summary>
public sealed class UninstallTests
{
    private const string Echo = "api/plugins/streamspace-echo";

    private static readonly string Built = Market.Built("plugins/streamspace-echo");

    [Fact]
    public async Task WhoWaitedForAPluginThatIsUninstalledIsToldAndBringsNothingBack()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        var market = new Market();
        market.Lay(Built);
        var settings = market.Settings;
        await using (var host = await TestHost.StartAsync(settings, clock))
        {
            (await host.PutConfigAsync("""{"unload":"hang"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
            // What it holds cannot be asked of one that does not come back.
            var uninstalled = host.SendAsync(HttpMethod.Delete, $"{Echo}?discard=true", host.Admin);
            // It is at its end once it says nothing of itself any more.
            await host.UntilAsync("api/plugins/echo/status", status => !status.ContainsKey("events"));
            var late = new[]
            {
                host.SendAsync(HttpMethod.Post, $"{Echo}/enable", host.Admin),
                host.SendAsync(HttpMethod.Post, $"{Echo}/reload", host.Admin),
                host.SendAsync(HttpMethod.Delete, Echo, host.Admin),
            };
            var patched = host.SendAsync(
                HttpMethod.Patch,
                Echo,
                host.Admin,
                TestHost.Json("""{"config":{"unload":"throw"}}""")
            );
            await clock.AdvanceUntilAsync(uninstalled);
            (await uninstalled).StatusCode.ShouldBe(HttpStatusCode.NoContent);
            foreach (var answer in await Task.WhenAll(late))
            {
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
                answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
            }
            // Taken or not: it is forgotten with the rest.
            await patched;
            Directory.GetFileSystemEntries(market.Plugins).ShouldBeEmpty();
        }
        // Laid there again it begins anew.
        market.Lay(Built);
        await using var again = await TestHost.StartAsync(settings);
        ((string?)(await again.ReadAsync("api/plugins/echo/config"))["unload"]).ShouldBe("clean");
    }

    [Fact]
    public async Task APluginThatHasNotDeliveredAllStaysUnlessItIsToBeDiscarded()
    {
        var market = new Market();
        market.Lay(Built);
        await using var host = await TestHost.StartAsync(market.Settings);
        Hold(host, "12 metric points", "0 distribution points", "3 events");

        var refused = await host.SendAsync(HttpMethod.Delete, Echo, host.Admin);

        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var why = (string)(await TestHost.BodyAsync(refused))["detail"]!;
        why.ShouldContain("12 metric points, 3 events.");
        why.ShouldContain("discard=true");
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["state"]).ShouldBe("running");
        Directory.GetFileSystemEntries(market.Plugins).ShouldHaveSingleItem();

        var gone = await host.SendAsync(HttpMethod.Delete, $"{Echo}?discard=true", host.Admin);
        gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Directory.Exists(Path.Combine(host.Settings.DataFolder, "streamspace-echo")).ShouldBeFalse();
    }

    [Fact]
    public async Task TheLogSaysHowManyOfWhatWereDiscarded()
    {
        var market = new Market();
        market.Lay(Built);
        var data = Path.Combine(TestRun.NewFolder(), "data");
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--sandbox-urls", "", "--plugins", market.Plugins];
        await using var host = HostProcess.Start([.. arguments, "--data", data]);
        await host.SaysAsync("Sign in");
        var address = new Uri(host.Output.Single(l => l.StartsWith("Serving on ", StringComparison.Ordinal))[11..]);
        using var client = TestRun.NewClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", await HostProcess.TokenAsync(data));
        await File.WriteAllLinesAsync(
            Path.Combine(data, "streamspace-echo", "undelivered"),
            ["12 metric points", "3 events"],
            TestContext.Current.CancellationToken
        );

        var gone = await client.DeleteAsync(
            new Uri(address, $"{Echo}?discard=true"),
            TestContext.Current.CancellationToken
        );

        gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await host.SaysAsync("Discarded: 12 metric points, 3 events.");
    }

    [Theory]
    [InlineData("it does not know")]
    [InlineData("it is switched off")]
    [InlineData("it cannot be loaded")]
    public async Task WhatAPluginHoldsThatCannotBeAskedIsDiscardedOnDemandAlone(string why)
    {
        var market = new Market();
        market.Lay(Built);
        var settings = market.Settings;
        await using (var before = await TestHost.StartAsync(settings))
        {
            Hold(before, why == "it does not know" ? "unknown" : "3 events");
            if (why == "it is switched off")
            {
                await before.SendAsync(HttpMethod.Post, $"{Echo}/disable", before.Admin);
            }
        }
        if (why == "it cannot be loaded")
        {
            await File.WriteAllTextAsync(
                Path.Combine(market.Plugins, "streamspace-echo", "Echo.dll"),
                "This is no assembly.",
                TestContext.Current.CancellationToken
            );
        }
        await using var host = await TestHost.StartAsync(settings);

        var refused = await host.SendAsync(HttpMethod.Delete, Echo, host.Admin);

        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        ((string)(await TestHost.BodyAsync(refused))["detail"]!).ShouldContain("cannot be known");
        (await host.SendAsync(HttpMethod.Delete, $"{Echo}?discard=true", host.Admin)).StatusCode.ShouldBe(
            HttpStatusCode.NoContent
        );
    }

    [Fact]
    public async Task AFolderThatBearsANameOfTheHostsOwnTakesNothingOfTheHostAlong()
    {
        var market = new Market();
        market.Lay(Built);
        foreach (var name in (string[])["keys", "logs", "token-key", "signed-out", "host.db"])
        {
            LayBroken(market, name);
        }
        var settings = market.Settings;
        await using (var host = await TestHost.StartAsync(settings))
        {
            await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}"}""");
            foreach (var name in (string[])["keys", "logs", "token-key", "signed-out", "host.db"])
            {
                var gone = await host.SendAsync(HttpMethod.Delete, $"api/plugins/{name}", host.Admin);
                gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            }
            Directory.GetFileSystemEntries(market.Plugins).ShouldHaveSingleItem();
        }
        await using var again = await TestHost.StartAsync(settings);
        again.Console.ToString().ShouldNotContain("cannot be decrypted");
        var key = Path.Combine(settings.DataFolder, "streamspace-echo", "key-length");
        (await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken)).ShouldBe($"{Secret.OfConfig.Length}");
    }

    [Fact]
    public async Task ABrokenFolderNamedAsARunningPluginDoesNotTakeThatOnesDataAlong()
    {
        var market = new Market();
        market.Lay(Built);
        Directory.Move(Path.Combine(market.Plugins, "streamspace-echo"), Path.Combine(market.Plugins, "x"));
        LayBroken(market, "streamspace-echo");
        await using var host = await TestHost.StartAsync(market.Settings);
        var kept = Path.Combine(host.Settings.DataFolder, "streamspace-echo", "key-length");
        var states = (await host.ReadAsync("api/plugins"))["plugins"]!.AsArray();
        states.Select(p => (string?)p!["state"]).ShouldBe(["failed", "running"], ignoreOrder: true);
        (await host.SendAsync(HttpMethod.Delete, Echo, host.Admin)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Directory.GetFileSystemEntries(market.Plugins).ShouldBe([Path.Combine(market.Plugins, "x")]);
        File.Exists(kept).ShouldBeTrue();
    }

    [Fact]
    public async Task APluginWhoseFolderSomebodyRemovedIsUninstalledOrUpdatedAllTheSame()
    {
        var market = new Market();
        market.Lay(Built);
        market.Offer(Market.Built("next/streamspace-echo"), "1.2.4");
        await using var host = await TestHost.StartAsync(market.Settings);
        Directory.Delete(Path.Combine(market.Plugins, "streamspace-echo"), recursive: true);
        var updated = await host.SendAsync(HttpMethod.Post, "api/plugins/catalog/streamspace-echo/install", host.Admin);
        updated.StatusCode.ShouldBe(HttpStatusCode.Created);
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["code"]).ShouldBe("1.2.4");

        Directory.Delete(Path.Combine(market.Plugins, "streamspace-echo"), recursive: true);
        var reloaded = await host.SendAsync(HttpMethod.Post, $"{Echo}/reload", host.Admin);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        ((string)(await TestHost.BodyAsync(reloaded))["detail"]!).ShouldContain("no manifest.json");
        (await host.SendAsync(HttpMethod.Delete, Echo, host.Admin)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Directory.Exists(Path.Combine(host.Settings.DataFolder, "streamspace-echo")).ShouldBeFalse();
        ((int?)(await host.ReadAsync("api/plugins"))["total"]).ShouldBe(0);
    }

    [Fact]
    public async Task APackageWhosePluginCannotBeLoadedLeavesNothing()
    {
        var market = new Market();
        market.Offer(
            Built,
            "1.2.3",
            spoil: folder => File.WriteAllText(Path.Combine(folder, "Echo.dll"), "This is no assembly.")
        );
        var settings = market.Settings;
        await using var host = await TestHost.StartAsync(settings);
        var refused = await host.SendAsync(HttpMethod.Post, "api/plugins/catalog/streamspace-echo/install", host.Admin);
        refused.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        Directory.GetFileSystemEntries(market.Plugins).ShouldBeEmpty();
        Directory.Exists(Path.Combine(settings.DataFolder, "streamspace-echo")).ShouldBeFalse();
        Directory.GetFileSystemEntries(settings.LogFolder).ShouldBeEmpty();
        ((JsonArray)(await host.ReadAsync("api/plugins"))["plugins"]!).ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatCannotBePutRightAfterACrashIsSaidAndTheRestRuns()
    {
        var market = new Market();
        market.Lay(Built);
        Directory.CreateDirectory(Path.Combine(market.Plugins, ".before-x"));
        // In the way of the folder that would come back.
        await File.WriteAllTextAsync(Path.Combine(market.Plugins, "x"), "", TestContext.Current.CancellationToken);
        await using var host = await TestHost.StartAsync(market.Settings);
        host.Console.ToString().ShouldContain("cannot be put right");
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["state"]).ShouldBe("running");
    }

    [Fact]
    public void WhatACrashWhileUninstallingLeftGoesAtTheNextStart()
    {
        var market = new Market();
        Directory.CreateDirectory(Path.Combine(market.Plugins, ".removed-x", "inside"));
        PluginsFolder.Recover(market.Plugins);
        Directory.GetFileSystemEntries(market.Plugins).ShouldBeEmpty();
    }

    private static void Hold(TestHost host, params string[] lines) =>
        File.WriteAllLines(Path.Combine(host.Settings.DataFolder, "streamspace-echo", "undelivered"), lines);

    // A folder with a manifest that says nothing: a plugin, and a failed one.
    private static void LayBroken(Market market, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(market.Plugins, name));
        File.WriteAllText(Path.Combine(folder.FullName, "manifest.json"), "{}");
    }
}
