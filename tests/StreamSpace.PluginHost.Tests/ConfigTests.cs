using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

public sealed class ConfigTests
{
    private const string Config = "api/plugins/echo/config";

    [Fact]
    public async Task AFreshDataFolderBeginsWithTheManifestsDefaults()
    {
        await using var host = await TestHost.StartAsync();
        var config = await host.ReadAsync(Config);
        ((int?)config["interval"]).ShouldBe(10);
        config["tags"]!.ToJsonString().ShouldBe("""["env:test"]""");
    }

    [Fact]
    public async Task EveryErrorIsListedAndTheConfigInForceStays()
    {
        await using var host = await TestHost.StartAsync();
        (await host.PutConfigAsync("""{"interval":30}""")).StatusCode.ShouldBe(HttpStatusCode.OK);

        var response = await host.PutConfigAsync(
            """{"interval":301,"tagz":["a"],"keepsLocal":"perhaps","unload":"cleen"}"""
        );
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var errors = (JsonArray)(await TestHost.BodyAsync(response))["errors"]!;
        errors
            .Select(f => (string?)f!["key"])
            .ShouldBe(["tagz", "interval", "keepsLocal", "unload"], ignoreOrder: true);
        var text = errors.ToJsonString();
        text.ShouldContain("10 to 300");
        text.ShouldContain("did you mean \\u0022tags\\u0022");
        text.ShouldContain("Did you mean clean");

        ((int?)(await host.ReadAsync(Config))["interval"]).ShouldBe(30);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task APlaceForSecretsChangesOnlyTogetherWithTheSecretsThatAreKept(bool isOff)
    {
        await using var host = await TestHost.StartAsync();
        (await host.PutConfigAsync("""{"place":"first"}""")).StatusCode.ShouldBe(HttpStatusCode.OK, "none is kept");
        (await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        if (isOff)
        {
            await host.SendAsync(HttpMethod.Post, "api/plugins/echo/disable", host.Admin);
        }
        var response = await host.PutConfigAsync("""{"place":"second","interval":5}""");
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var errors = (JsonArray)(await TestHost.BodyAsync(response))["errors"]!;
        errors.Select(f => (string?)f!["key"]).ShouldBe(["place", "interval"], ignoreOrder: true);
        ((string?)errors[0]!["message"]).ShouldBe(
            "would take the kept key to another place: give key in the same call, or clear with null."
        );
        using var patch = TestHost.Json("""{"config":{"place":"second"}}""");
        (await host.SendAsync(HttpMethod.Patch, "api/plugins/echo", host.Admin, patch)).StatusCode.ShouldBe(
            HttpStatusCode.BadRequest
        );
        ((string?)(await host.ReadAsync(Config))["place"]).ShouldBe("first");

        // The same place is no change, and none is Datadog's own.
        (await host.PutConfigAsync("""{"place":"first"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.PutConfigAsync("""{"place":null}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.PutConfigAsync($$"""{"place":"second","key":"{{Secret.OfConfig}}"}""")).StatusCode.ShouldBe(
            HttpStatusCode.OK
        );
        (await host.PutConfigAsync("""{"place":"third","key":null}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AnAbsentKeyStaysAndANullClearsOne()
    {
        await using var host = await TestHost.StartAsync();
        await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}","tags":["a:b"]}""");
        await host.PutConfigAsync("""{"interval":"20"}""");
        var config = await host.ReadAsync(Config);
        ((int?)config["interval"]).ShouldBe(20);
        config["tags"]!.ToJsonString().ShouldBe("""["a:b"]""");
        KeyLength(host).ShouldBe($"{Secret.OfConfig.Length}");

        await host.PutConfigAsync("""{"key":null,"tags":null}""");
        (await host.ReadAsync(Config)).ContainsKey("tags").ShouldBeFalse();
        KeyLength(host).ShouldBe("none");
    }

    [Fact]
    public async Task AConfigOutlivesTheProcessAndItsSecretIsNowhereInClear()
    {
        var settings = TestHost.NewSettings();
        var shown = new StringBuilder();
        await using (var host = await TestHost.StartAsync(settings))
        {
            var put = await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}","interval":45}""");
            put.StatusCode.ShouldBe(HttpStatusCode.OK);
            shown.Append(await put.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            foreach (var path in new[] { Config, "api/plugins/echo/status", "api/status", "openapi/v1.json" })
            {
                shown.Append(await host.ReadAsync(path));
            }
            var invalid = await host.PutConfigAsync($$"""{"key":["{{Secret.OfConfig}}"]}""");
            shown.Append(await invalid.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            var broken = await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}" """);
            shown.Append(await broken.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            SecretIsNowhere(settings, host.Console.ToString() + shown);
        }
        SecretIsNowhere(settings, "");

        await using var again = await TestHost.StartAsync(settings);
        ((int?)(await again.ReadAsync(Config))["interval"]).ShouldBe(45);
        KeyLength(again).ShouldBe($"{Secret.OfConfig.Length}");
    }

    [Fact]
    public async Task WhatCannotBeKeptIsNotInForceEither()
    {
        await using var host = await TestHost.StartAsync();
        await using (var other = new SqliteConnection($"Data Source={host.Settings.DataFolder}/host.db;Pooling=False"))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var full = other.CreateCommand();
            full.CommandText =
                "CREATE TRIGGER full BEFORE UPDATE ON plugins BEGIN SELECT RAISE(ABORT, 'as on a full disk'); END";
            await full.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var refused = await host.PutConfigAsync("""{"interval":42}""");
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ((string)(await TestHost.BodyAsync(refused))["detail"]!).ShouldContain("nothing was changed");
        ((int?)(await host.ReadAsync(Config))["interval"]).ShouldBe(10);
    }

    [Fact]
    public async Task WithTheKeyRingLostThePluginRunsWithoutItsSecret()
    {
        var settings = TestHost.NewSettings();
        await using (var host = await TestHost.StartAsync(settings))
        {
            await host.PutConfigAsync($$"""{"key":"{{Secret.OfConfig}}","interval":45}""");
        }
        Directory.Delete(Path.Combine(settings.DataFolder, "keys"), recursive: true);

        await using var again = await TestHost.StartAsync(settings);
        ((int?)(await again.ReadAsync(Config))["interval"]).ShouldBe(45);
        KeyLength(again).ShouldBe("none");
        again.Console.ToString().ShouldContain("running; its stored secrets cannot be decrypted");
    }

    [Fact]
    public async Task AnInvalidFirstConfigLeavesThePluginLoadedAndSaysEveryError()
    {
        var settings = TestHost.NewSettings() with
        {
            Environment = new Dictionary<string, string> { ["ECHO_INTERVAL"] = "5" },
        };
        await using var host = await TestHost.StartAsync(settings);
        host.Console.ToString().ShouldContain("interval: must be a whole number from 10 to 300, not 5.");
        var status = await host.ReadAsync("api/plugins/echo/status");
        ((string?)status["state"]).ShouldBe("unconfigured");
        ((string?)status["errors"]![0]!["key"]).ShouldBe("interval");
        var ready = await host.GetAsync("readyz");
        ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ((string?)(await TestHost.BodyAsync(ready))["detail"]).ShouldNotBeNull().ShouldContain("streamspace-echo");
        (await host.ReadAsync(Config)).Count.ShouldBe(0);
    }

    private static string KeyLength(TestHost host) =>
        File.ReadAllText(Path.Combine(host.Settings.DataFolder, "streamspace-echo", "key-length"));

    private static void SecretIsNowhere(HostSettings settings, string shown)
    {
        shown.ShouldNotContain(Secret.OfConfig);
        var root = Directory.GetParent(settings.DataFolder)!.FullName;
        foreach (
            var file in Directory
                .EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Where(f => Path.GetFileName(f) != "lock" && Path.GetExtension(f) != ".owner")
        )
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            reader.ReadToEnd().ShouldNotContain(Secret.OfConfig, customMessage: file);
        }
    }
}
