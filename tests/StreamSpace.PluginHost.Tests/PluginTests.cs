using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

public sealed class PluginTests
{
    [Fact]
    public async Task APluginThatCannotBeLoadedSaysWhyAndTheOthersRun()
    {
        var folder = TestRun.NewFolder();
        Copy("streamspace-echo", folder, "streamspace-echo");
        Copy("streamspace-echo", folder, "backup-of-echo");
        Write(folder, "keys", Manifest("keys"));
        Write(folder, "not-json", "{");
        Write(folder, "no-type", Manifest("no-type").Replace("extension", "integration", StringComparison.Ordinal));
        Write(folder, "no-assembly", Manifest("no-assembly"));
        Write(folder, "no-plugin", Manifest("no-plugin"));
        File.Copy(typeof(SecretSearch).Assembly.Location, Path.Combine(folder, "no-plugin", "Entry.dll"));
        Write(folder, "outside", Manifest("outside").Replace("Entry.dll", "../Entry.dll", StringComparison.Ordinal));
        Write(
            folder,
            "other-contract",
            Manifest("other-contract").TrimStart('{').Insert(0, """{"requirements":{"pluginContract":"2"},""")
        );
        Directory.CreateDirectory(Path.Combine(folder, ".staging"));

        await using var host = await TestHost.StartAsync(TestHost.NewSettings() with { PluginsFolder = folder });

        var plugins = ((JsonArray)(await host.ReadAsync("api/status"))["plugins"]!).ToDictionary(
            p => (string)p!["name"]!,
            p => $"{p!["state"]} {p["detail"]}"
        );
        plugins.Count.ShouldBe(9);
        plugins["streamspace-echo"].ShouldBe("running ");
        plugins["backup-of-echo"].ShouldStartWith("failed not loaded: another folder");
        plugins["keys"].ShouldContain("no plugin may be named keys");
        plugins["not-json"].ShouldContain("not valid JSON at line 1, byte 2");
        plugins["no-type"].ShouldContain("type must be one of extension");
        plugins["no-assembly"].ShouldContain("entry point Entry.dll is missing");
        plugins["no-plugin"].ShouldContain("exactly one public class");
        plugins["other-contract"].ShouldContain("pluginContract is 2, and this host has 1");
        plugins["outside"].ShouldContain("entrypoints.main");
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await host.GetAsync("healthz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AFolderWithoutAManifestIsNoPlugin()
    {
        var market = new Market();
        market.Lay(Market.Built("plugins/streamspace-echo"));
        Directory.CreateDirectory(Path.Combine(market.Plugins, "lost+found"));
        await using var host = await TestHost.StartAsync(market.Settings);
        ((int?)(await host.ReadAsync("api/plugins"))["total"]).ShouldBe(1);
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task APluginThatThrowsWhileLoadingIsToldByItsOwnWords()
    {
        var settings = TestHost.NewSettings() with
        {
            Environment = new Dictionary<string, string> { ["ECHO_LOAD_ERROR"] = "The moon is full." },
        };
        await using var host = await TestHost.StartAsync(settings);
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["state"]).ShouldBe("failed");
        ((string?)status["detail"]).ShouldBe("not loaded: The moon is full.");
        host.Console.ToString().ShouldContain("The moon is full.");
    }

    [Fact]
    public async Task WhatAPluginThrowsIsToldWithoutWhereOnThisMachineItsFilesLie()
    {
        var settings = TestHost.NewSettings();
        // Where Echo wants to write a file.
        Directory.CreateDirectory(Path.Combine(settings.DataFolder, "streamspace-echo", "key-length"));
        await using var host = await TestHost.StartAsync(settings);
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["detail"]).ShouldBe(
            "it failed over its config: Access to the path 'streamspace-echo/key-length' is denied."
        );
        var ready = await host.GetAsync("readyz");
        (await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldNotContain(
            settings.DataFolder
        );
    }

    [Theory]
    [InlineData("Could not find file '/data/echo/a'.", "Could not find file 'echo/a'.")]
    [InlineData("Access to the path '/data/echo/' is denied.", "Access to the path 'echo/' is denied.")]
    [InlineData("Access to the path '/data' is denied.", "Access to the path 'data' is denied.")]
    [InlineData("The file '/data/plugins/e/x.dll' is bad.", "The file 'x.dll' is bad.")]
    [InlineData("No space left on device : '/mnt/other/y'", "No space left on device : 'y'")]
    public void AFileIsNamedByItsPlaceInTheNearestFolder(string thrown, string told) =>
        SafeErrorText.Of(new IOException(thrown), "/data", "/data/plugins/e/", "/data/plugins").ShouldBe(told);

    [Fact]
    public async Task APluginThatCannotMapItsEndpointsRunsWithoutThem()
    {
        var settings = TestHost.NewSettings() with
        {
            Environment = new Dictionary<string, string> { ["ECHO_MAP_ERROR"] = "No map." },
        };
        await using var host = await TestHost.StartAsync(settings);
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["state"]).ShouldBe("running");
        ((string?)status["detail"]).ShouldBe("its endpoints could not be mapped: No map.");
        (await host.GetAsync("api/plugins/echo/open")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task WithoutAnyPluginTheHostServesAndSaysSo()
    {
        var settings = TestHost.NewSettings() with { PluginsFolder = "/nowhere/plugins" };
        await using var host = await TestHost.StartAsync(settings);
        host.Console.ToString().ShouldContain("No plugins: there is none in /nowhere/plugins.");
        (await host.GetAsync("readyz")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ThePluginsEndpointsLiveUnderItsRouteAndTheHostsComeFirst()
    {
        await using var host = await TestHost.StartAsync();
        var echoed = await host.SendAsync(
            HttpMethod.Post,
            "api/plugins/echo/echo",
            host.Admin,
            TestHost.Json("""{"say":"hello"}""")
        );
        (await echoed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("""{"say":"hello"}""");
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["state"]).ShouldBe("running");
        ((string?)status["version"]).ShouldBe("1.2.3");
        status["sources"].ShouldBeOfType<JsonArray>();
    }

    [Fact]
    public async Task WhatIsNotSharedIsThePluginsOwnHoweverLateItIsLoaded()
    {
        await using var host = await TestHost.StartAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var own = await host.GetAsync("api/plugins/echo/own-package");
        (await own.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("Echo");
    }

    [Fact]
    public async Task TheLogIsJsonLinesUnderOneSteadyName()
    {
        var settings = TestHost.NewSettings();
        await using (var host = await TestHost.StartAsync(settings))
        {
            var log = (string?)(await host.ReadAsync("api/plugins/echo/status"))["log"];
            log.ShouldNotBeNull().ShouldBe(Path.Combine(settings.LogFolder, "echo.log"));
            host.Console.ToString().ShouldContain(log);
        }
        var lines = await File.ReadAllLinesAsync(
            Path.Combine(settings.LogFolder, "echo.log"),
            TestContext.Current.CancellationToken
        );
        var first = JsonNode.Parse(lines[0])!;
        ((string?)first["@m"]).ShouldBe("Loaded with sandbox null.");
        ((string?)first["Instance"]).ShouldBe($"{Environment.MachineName}:{Path.GetFullPath(settings.DataFolder)}");
    }

    [Fact]
    public async Task WhereTheLogFolderCannotBeWrittenTheDataFolderTakesTheLog()
    {
        var file = Path.Combine(TestRun.NewFolder(), "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        var settings = TestHost.NewSettings() with { LogFolder = Path.Combine(file, "below-a-file") };
        await using var host = await TestHost.StartAsync(settings);
        var log = Path.Combine(settings.DataFolder, "logs", "echo.log");
        ((string?)(await host.ReadAsync("api/plugins/echo/status"))["log"]).ShouldBe(log);
        File.Exists(log).ShouldBeTrue();
    }

    [Theory]
    [InlineData("clean", true)]
    [InlineData("throw", false)]
    public async Task AtTheEndThePluginIsUnloaded(string how, bool said)
    {
        var settings = TestHost.NewSettings();
        await using (var host = await TestHost.StartAsync(settings))
        {
            await host.PutConfigAsync($$"""{"unload":"{{how}}"}""");
        }
        File.Exists(Path.Combine(settings.DataFolder, "streamspace-echo", "unloaded")).ShouldBe(said);
    }

    [Fact]
    public async Task APluginThatIsToldToFinishHasAMomentToPutAwayWhatItHolds()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        using var lone = await LonePlugin.LoadAsync(clock);
        await lone.ConfigureAsync(new JsonObject { ["unload"] = "late" });
        using var deadline = new CancellationTokenSource();
        var unloading = lone.Plugin.UnloadAsync(deadline.Token);
        await deadline.CancelAsync();
        await unloading;
        File.Exists(Path.Combine(lone.Folder, "unloaded")).ShouldBeTrue();
    }

    [Fact]
    public async Task APluginThatNeverUnloadsIsLeftBehindFiveSecondsAfterItsDeadline()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-01-05T09:00:00Z", CultureInfo.InvariantCulture));
        var host = await TestHost.StartAsync(clock: clock);
        await host.PutConfigAsync("""{"unload":"hang"}""");
        var ending = host.DisposeAsync().AsTask();
        // The deadline's timer is set only once all that stops before has stopped: so step by step, not at once.
        (await clock.AdvanceUntilAsync(ending)).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(15));
    }

    private static string Manifest(string name) =>
        $$"""
            {
              "name": "{{name}}", "version": "1.0.0", "displayName": "{{name}}", "type": "extension",
              "entrypoints": { "main": "Entry.dll" }
            }
            """;

    private static void Write(string folder, string name, string manifest) =>
        File.WriteAllText(
            Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, "manifest.json"),
            manifest
        );

    private static void Copy(string plugin, string folder, string name)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(TestHost.EchoFolder, plugin)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}
