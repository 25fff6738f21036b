using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>Whoever looks at a setting, or changes one, is told who holds it.</summary>
public sealed class SettingOriginTests
{
    private const string Plugin = "api/plugins/datadog";
    private const string Config = $"{Plugin}/config";

    [Fact]
    public async Task AConfigSaysBesideItsValuesWhereEachComesFrom()
    {
        await using var host = await TestHost.StartAsync(
            Settings(
                """{"metricsInterval":20,"cluster":"row"}""",
                ("DD_ENV", "test"),
                ("DD_DD_URL", "http://127.0.0.1:9")
            )
        );
        (await PutAsync(host, $$"""{"maxSeries":1000,"apiKey":"{{Secret.ApiKey}}"}""")).ShouldNotContainKey("warnings");

        var config = await host.ReadAsync(Config);
        config.Last().Key.ShouldBe("origins");
        var origins = (JsonObject)config["origins"]!;
        string?[] said =
        [
            .. new[] { "intakeUrl", "metricsInterval", "maxSeries", "apiKey", "userTag", "globalTags" }.Select(key =>
                (string?)origins[key]
            ),
        ];
        said.ShouldBe(["DD_DD_URL", "row", "saved", "saved", "default", "default, and DD_ENV"]);
        config.ToJsonString().ShouldNotContain(Secret.ApiKey);
        config.ContainsKey("apiKey").ShouldBeFalse();
    }

    [Fact]
    public async Task AChangeNamesWhatItCouldNotApplyAndWhoHoldsIt()
    {
        await using var host = await TestHost.StartAsync(
            Settings("""{"metricsInterval":20,"enabled":false}""", ("DD_DD_URL", "http://127.0.0.1:9"))
        );

        var answer = await PutAsync(
            host,
            """{"metricsInterval":"30","intakeUrl":"http://127.0.0.1:8","maxSeries":2000,"enabled":true}"""
        );

        ((int?)answer["metricsInterval"]).ShouldBe(20);
        ((int?)answer["maxSeries"]).ShouldBe(2000);
        var warnings = Warnings(answer);
        warnings.ShouldContain(w => w.StartsWith("metricsInterval: ") && w.Contains("StreamSpace's row holds it"));
        warnings.ShouldContain(w => w.StartsWith("enabled: ") && w.Contains("StreamSpace's row holds it"));
        warnings.ShouldContain(w => w.StartsWith("intakeUrl: ") && w.Contains("DD_DD_URL in the environment holds it"));
        warnings.ShouldNotContain(w => w.StartsWith("maxSeries"));

        using var patch = TestHost.Json("""{"config":{"metricsInterval":40}}""");
        var patched = await TestHost.BodyAsync(await host.SendAsync(HttpMethod.Patch, Plugin, host.Admin, patch));
        Warnings(patched).ShouldHaveSingleItem().ShouldStartWith("metricsInterval: ");
    }

    [Fact]
    public async Task WhatWasShownMayBeGivenBackAndNothingIsSaidOfIt()
    {
        await using var host = await TestHost.StartAsync(Settings("""{"metricsInterval":20}"""));
        var shown = await host.ReadAsync(Config);
        (await PutAsync(host, shown.ToJsonString())).ShouldNotContainKey("warnings");
    }

    [Theory]
    [InlineData("enable", """{"enabled":false}""", "StreamSpace's row holds it")]
    [InlineData("enable", """{"enabled":true}""", null)]
    [InlineData("disable", """{"enabled":false}""", "switch it on there too")]
    [InlineData("disable", """{"enabled":true}""", "has no say until it is enabled here")]
    [InlineData("enable", null, null)]
    [InlineData("disable", null, null)]
    public async Task TheSwitchSaysWhatTheRowDecides(string verb, string? row, string? said)
    {
        await using var host = await TestHost.StartAsync(Settings(row));
        var answer = await SwitchAsync(host, verb);
        if (said is null)
        {
            answer.ShouldNotContainKey("warnings");
        }
        else
        {
            Warnings(answer)[0].ShouldContain(said);
        }
    }

    [Fact]
    public async Task OneThatIsSwitchedOffShowsItselfSoAndSaysWhatSwitchesItOn()
    {
        await using var host = await TestHost.StartAsync(Settings("""{"metricsInterval":20,"enabled":true}"""));
        await SwitchAsync(host, "disable");

        var config = await host.ReadAsync(Config);
        ((bool?)config["enabled"]).ShouldBe(false);
        ((string?)config["origins"]!["enabled"]).ShouldBe("saved");
        ((int?)config["metricsInterval"]).ShouldBe(20);
        ((string?)config["origins"]!["metricsInterval"]).ShouldBe("row");
        var answer = await PutAsync(host, """{"enabled":true,"maxSeries":2000}""");
        ((bool?)answer["enabled"]).ShouldBe(false);
        Warnings(answer).ShouldHaveSingleItem().ShouldContain("POST /api/plugins/streamspace-datadog/enable");

        await SwitchAsync(host, "enable");
        ((bool?)(await host.ReadAsync(Config))["enabled"]).ShouldBe(true);
    }

    // The row is the one that was read last: what it said holds while the database is away, as it is here.
    private static HostSettings Settings(string? row, params (string Name, string Value)[] environment)
    {
        var settings = TestHost.NewSettings() with
        {
            PluginsFolder = Path.Combine(AppContext.BaseDirectory, "ours"),
            SandboxUrls = ["http://127.0.0.1:0"],
            Environment = environment
                .Concat(row is null ? [] : [("DB_HOST", "127.0.0.1"), ("DB_PORT", "1")])
                .ToDictionary(v => v.Item1, v => v.Item2),
        };
        if (row is not null)
        {
            using var store = new HostStore(
                Path.Combine(settings.DataFolder, "host.db"),
                new KeyRing(Directory.CreateDirectory(Path.Combine(settings.DataFolder, "keys")).FullName),
                TimeProvider.System
            );
            store.SaveRow("streamspace-datadog", new JsonObject { ["values"] = JsonNode.Parse(row) });
        }
        return settings;
    }

    private static async Task<JsonObject> PutAsync(TestHost host, string json)
    {
        TestRun.Search.AddFrom(json);
        using var body = TestHost.Json(json);
        using var answer = await host.SendAsync(HttpMethod.Put, Config, host.Admin, body);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await TestHost.BodyAsync(answer);
    }

    private static async Task<JsonObject> SwitchAsync(TestHost host, string verb)
    {
        using var answer = await host.SendAsync(HttpMethod.Post, $"{Plugin}/{verb}", host.Admin);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await TestHost.BodyAsync(answer);
    }

    private static List<string> Warnings(JsonObject answer) =>
        [.. answer["warnings"].ShouldNotBeNull().AsArray().Select(w => (string)w!)];
}
