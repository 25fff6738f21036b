using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Health;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

/// <summary>A key goes only where it came with.</summary>
public sealed class KeyTravelTests
{
    private const string Place = """ "intakeUrl":"http://127.0.0.3:8190/" """;
    private const string Way = """ "proxy":"http://127.0.0.3:3128" """;
    private const string Traces = """ "tracesEndpoint":"http://127.0.0.3:4318" """;
    private const string ApiKey = $""" "apiKey":"{Secret.ApiKey}" """;
    private const string AppKey = $""" "appKey":"{Secret.AppKey}" """;

    public static TheoryData<string, string, string?, string, string> Strays =>
        new()
        {
            // what is saved, what the row says, the variable, the key not applied, the key that it may not meet
            { $"{{{Place}}}", "{}", "DD_API_KEY", "intakeUrl", "apiKey" },
            { $"{{{Place}}}", "{}", "DD_APP_KEY", "intakeUrl", "appKey" },
            { "{}", $"{{{Place}}}", "DD_API_KEY", "intakeUrl", "apiKey" },
            { $"{{{ApiKey}}}", $"{{{Place}}}", null, "intakeUrl", "apiKey" },
            { $"{{{AppKey}}}", $"{{{Place},{ApiKey}}}", null, "intakeUrl", "appKey" },
            { "{}", $"{{{Place},{ApiKey}}}", "DD_APP_KEY", "intakeUrl", "appKey" },
            { $"{{{Place}}}", $"{{{ApiKey}}}", null, "intakeUrl", "apiKey" },
            { $"{{{Place},{ApiKey}}}", "{}", "DD_API_KEY", "intakeUrl", "apiKey" },
            { $"{{{Way}}}", "{}", "DD_API_KEY", "proxy", "apiKey" },
            { $"{{{ApiKey}}}", $"{{{Way}}}", null, "proxy", "apiKey" },
            { "{}", $"{{{Way}}}", "DD_API_KEY", "proxy", "apiKey" },
            { $"{{{Traces}}}", "{}", "DD_API_KEY", "tracesEndpoint", "apiKey" },
            { $"{{{ApiKey}}}", $"{{{Traces}}}", null, "tracesEndpoint", "apiKey" },
            { "{}", $"{{{Traces}}}", "DD_API_KEY", "tracesEndpoint", "apiKey" },
        };

    [Theory]
    [MemberData(nameof(Strays))]
    public void APlaceThatAKeyDidNotComeWithIsNotAppliedAndIsNamed(
        string saved,
        string row,
        string? variable,
        string place,
        string key
    )
    {
        var config = Read(saved, row, variable);
        (config.IntakeUrl, config.Proxy(new Uri("https://api.datadoghq.com")), config.TracesEndpoint).ShouldBe(
            (null, null, null)
        );
        config.Values.ContainsKey(place).ShouldBeFalse("it is not in force");
        var warning = config.Warnings.Single(w => w.What == place && w.Found.Contains("not applied"));
        warning.Verdict.ShouldBe(CheckVerdict.Warning);
        warning.Found.ShouldContain($"{place} (from ");
        warning.Found.ShouldContain($"{key} (from ");
        warning.Fix.ShouldNotBeNull();
        // The rest of the config is.
        config.MetricsInterval.ShouldBe(TimeSpan.FromSeconds(20));
    }

    public static TheoryData<string, string, string?> Together =>
        new()
        {
            { $"{{{Place},{ApiKey}}}", "{}", null },
            { $"{{{Place},{ApiKey},{AppKey}}}", "{}", null },
            { "{}", $"{{{Place},{ApiKey}}}", null },
            // Over a saved key lies the row's own.
            { $"{{{ApiKey}}}", $$"""{{{Place}},"apiKey":"{{Secret.Wrong}}"}""", null },
            { $"{{{Place}}}", "{}", null },
            { "{}", $"{{{Place}}}", null },
        };

    [Theory]
    [MemberData(nameof(Together))]
    public void APlaceThatCameWithEveryKeyIsApplied(string saved, string row, string? variable) =>
        Read(saved, row, variable).IntakeUrl.ShouldBe(new Uri("http://127.0.0.3:8190/"));

    [Theory]
    [InlineData($"{{{ApiKey},{Traces}}}", "{}", null)]
    [InlineData("{}", $"{{{ApiKey},{Traces}}}", null)]
    // No application key goes there.
    [InlineData($"{{{ApiKey},{Traces}}}", "{}", "DD_APP_KEY")]
    [InlineData($"{{{Traces}}}", "{}", null)]
    public void ATracesEndpointThatCameWithTheApiKeyIsApplied(string saved, string row, string? variable) =>
        Read(saved, row, variable).TracesEndpoint.ShouldBe(new Uri("http://127.0.0.3:4318"));

    [Theory]
    [InlineData("sandbox", "http://collector.example.com:4318", false)]
    [InlineData("sandbox", "https://otlp.datadoghq.eu", false)]
    [InlineData("sandbox", "http://127.0.0.1:4318", true)]
    [InlineData("datadoghq.eu", "http://collector.example.com:4318", true)]
    public void BesideTheSandboxNoTracesEndpointElsewhereIsApplied(string site, string endpoint, bool applied)
    {
        var given = new JsonObject { ["site"] = site, ["tracesEndpoint"] = endpoint }.ToJsonString();
        foreach (
            var config in new[]
            {
                Read(given, "{}"),
                Read($$"""{"site":"{{site}}"}""", "{}", ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)),
            }
        )
        {
            (config.TracesEndpoint is not null).ShouldBe(applied);
            config.Values.ContainsKey("tracesEndpoint").ShouldBe(applied);
            config
                .Warnings.Any(w => w.What == "tracesEndpoint" && w.Found.Contains("never leaves this machine"))
                .ShouldBe(!applied);
            config.KeepsDataLocal.ShouldBe(site == "sandbox");
        }
    }

    [Fact]
    public void APlaceOfTheEnvironmentMeetsEveryKey()
    {
        var config = Read(
            $"{{{ApiKey},{Place}}}",
            $"{{{AppKey}}}",
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318"),
            ("DD_DD_URL", "http://127.0.0.1:9"),
            ("DD_PROXY_HTTP", "127.0.0.1:3128")
        );
        config.IntakeUrl.ShouldBe(new Uri("http://127.0.0.1:9"));
        config.TracesEndpoint.ShouldBe(new Uri("http://127.0.0.1:4318"));
        config.Warnings.ShouldNotContain(w => w.Found.Contains("not applied"));
    }

    [Fact]
    public void ARowsPlaceThatIsNotAppliedLeavesTheSavedOneInForce()
    {
        var config = Read($"{{{ApiKey},{Place}}}", """{"intakeUrl":"http://127.0.0.9/"}""");
        config.IntakeUrl.ShouldBe(new Uri("http://127.0.0.3:8190/"));
        config
            .Warnings.Single(w => w.Found.Contains("not applied"))
            .Found.ShouldStartWith("intakeUrl (from StreamSpace's row) is not applied");
    }

    [Theory]
    [InlineData("https://api.datadoghq.eu", true)]
    [InlineData("https://API.DATADOGHQ.EU:8443/x", true)]
    [InlineData("https://ddog-gov.com", true)]
    [InlineData("http://api.datadoghq.eu", false)]
    [InlineData("https://api.datadoghq.eu.", false)]
    [InlineData("https://api.datadoghq.eu.example.com", false)]
    [InlineData("https://notdatadoghq.eu", false)]
    [InlineData("https://example.com/.datadoghq.eu", false)]
    [InlineData("https://example.com#.datadoghq.eu", false)]
    [InlineData("https://example.com?.datadoghq.eu", false)]
    [InlineData("https://api.dаtadoghq.eu", false)]
    [InlineData("https://api。datadoghq。eu.example.com", false)]
    public void OnlyTlsToDatadogsOwnDomainsMeetsAnyKey(string url, bool applied)
    {
        var saved = new JsonObject { ["intakeUrl"] = url };
        (Read(saved.ToJsonString(), "{}", "DD_API_KEY").IntakeUrl is not null).ShouldBe(applied);
    }

    [Theory]
    [InlineData("http://datadoghq.com@127.0.0.3/")]
    [InlineData("https://api.datadoghq.com:443@127.0.0.3/")]
    public void AHostBehindAUserIsAnError(string url) =>
        Errors(new JsonObject { ["intakeUrl"] = url }.ToJsonString())
            .ShouldBe(["intakeUrl: must hold no user and no password: it is shown."]);

    [Theory]
    [InlineData("http://intake.example.com", true)]
    [InlineData("https://intake.example.com", false)]
    [InlineData("http://127.0.0.1:9", false)]
    [InlineData("http://[::1]:9", false)]
    public void WhatGoesInClearBeyondThisMachineIsAWarning(string url, bool warned) =>
        Read("{}", "{}", ("DD_DD_URL", url)).Warnings.Any(w => w.Found.Contains("in clear")).ShouldBe(warned);

    [Fact]
    public void ARowThatBringsAnotherKeyOrSwitchesItOffIsNamedWithItsTime()
    {
        var written = new DateTimeOffset(2026, 3, 4, 9, 8, 7, TimeSpan.Zero);
        var settings = new PluginSettings(Json($"{{{ApiKey}}}")) { RowWritten = written }.With(
            Json($$"""{"apiKey":"{{Secret.Wrong}}","enabled":false}"""),
            SettingOrigin.Row
        );
        var config = Reader().Read(settings, out _).ShouldNotBeNull();
        config.ApiKey.ShouldBe(Secret.Wrong);
        config.Warnings.ShouldContain(w =>
            w.Found.Contains("another than the saved one")
            && w.Found.Contains("StreamSpace's row, last written 2026-03-04 09:08:07 UTC")
        );
        HealthFindings
            .Switch(config)
            .Single()
            .Found.ShouldBe(
                "It is switched off by StreamSpace's row, last written 2026-03-04 09:08:07 UTC: nothing is collected."
            );
    }

    [Fact]
    public void ARowThatBringsTheFirstKeyIsNamedToo()
    {
        Read("{}", $"{{{ApiKey}}}")
            .Warnings.ShouldContain(w => w.Found.StartsWith("The API key comes from StreamSpace's row"));
        // The operator's own, written in both places; and one that is there and does not win.
        Read($"{{{ApiKey}}}", $"{{{ApiKey}}}").Warnings.ShouldNotContain(w => w.Found.StartsWith("The API key"));
        Read("{}", $$"""{"apiKey":"{{Secret.Wrong}}"}""", "DD_API_KEY")
            .Warnings.ShouldNotContain(w => w.Found.StartsWith("The API key"));
    }

    [Theory]
    [MemberData(nameof(SecretsAndDestinations))]
    public void ASecretOrADestinationInTheRowIsSaidToBelongInTheEnvironmentAlsoWhereItDoesNotWin(string key)
    {
        var (variable, value) = key switch
        {
            "apiKey" => ("DD_API_KEY", Secret.ApiKey),
            "appKey" => ("DD_APP_KEY", Secret.AppKey),
            "proxy" => ("DD_PROXY_HTTPS", "https://proxy.example.com:3128"),
            "tracesEndpoint" => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector.example.com:4318"),
            _ => ("DD_DD_URL", "https://intake.example.com"),
        };
        var row = $$"""{"{{key}}":"{{value}}"}""";
        foreach (var config in new[] { Read("{}", row), Read(row, row), Read("{}", row, (variable, value)) })
        {
            var warning = config.Warnings.Single(w => w.Found.StartsWith($"{key} stands in StreamSpace's row"));
            warning.Verdict.ShouldBe(CheckVerdict.Warning);
            warning.Fix!.ShouldStartWith($"Set {variable} in the environment");
        }
        Read("{}", row).ApiKey.ShouldBe(key == "apiKey" ? Secret.ApiKey : null);
        Read(row, "{}").Warnings.ShouldNotContain(w => w.Found.Contains("stands in"));
    }

    public static TheoryData<string> SecretsAndDestinations() =>
        [
            .. Manifests.Ours().ConfigSchema is var schema
                ? schema.Keys.Where(k => schema.IsSecret(k) || schema.IsDestination(k))
                : [],
        ];

    private static DatadogConfig Read(string saved, string row, string? variable) =>
        variable is null
            ? Read(saved, row)
            : Read(saved, row, (variable, variable == "DD_API_KEY" ? Secret.ApiKey : Secret.AppKey));

    private static DatadogConfig Read(string saved, string row, params (string, string)[] environment)
    {
        var values = Json(saved);
        values["metricsInterval"] = 20;
        var settings = new PluginSettings(values).With(Json(row), SettingOrigin.Row);
        var config = Reader(environment).Read(settings, out var errors);
        errors.ShouldBeEmpty();
        return config.ShouldNotBeNull();
    }

    private static IEnumerable<string> Errors(string saved)
    {
        Reader().Read(new(Json(saved)), out var errors);
        return errors.Select(f => f.ToString());
    }

    private static JsonObject Json(string text) => (JsonObject)JsonNode.Parse(text)!;

    private static ConfigReader Reader(params (string Name, string Value)[] environment)
    {
        var variables = EnvironmentVariables.Read(environment.ToDictionary(e => e.Name, e => e.Value));
        return new(Manifests.Ours().ConfigSchema, variables, new KeyFiles(variables), new Uri("http://127.0.0.1:8091"));
    }
}
