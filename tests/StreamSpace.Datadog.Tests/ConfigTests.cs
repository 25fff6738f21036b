using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.Datadog.Config;
using StreamSpace.Datadog.Tests.Support;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Datadog.Tests;

public sealed class ConfigTests
{
    private static readonly Uri Sandbox = new("http://127.0.0.1:8091");

    [Fact]
    public void TheSpecsFullConfigIsTakenAsItStands()
    {
        var config = Read(
            """
            {"enabled":true,"apiKey":"your-datadog-api-key","appKey":"your-datadog-app-key","site":"datadoghq.com",
             "enableMetrics":true,"enableTraces":true,"enableLogs":false,
             "globalTags":["env:production","service:streamspace","region:us-east-1","team:platform"],
             "metricsInterval":60,"trackSessionMetrics":true,"trackResourceMetrics":true,"trackUserMetrics":true}
            """
        );
        config.Site.ShouldBe("datadoghq.com");
        config.MetricsInterval.ShouldBe(TimeSpan.FromSeconds(60));
        config.GlobalTags.ShouldBe(["env:production", "service:streamspace", "region:us-east-1", "team:platform"]);
        config.KeepsDataLocal.ShouldBeFalse();
    }

    [Fact]
    public void WhatIsLeftOutTakesTheSpecsDefault()
    {
        var config = Read("{}");
        config.Enabled.ShouldBeTrue();
        config.Site.ShouldBe("datadoghq.com");
        config.ApiKey.ShouldBeNull();
        config.GlobalTags.ShouldBe(["env:production"]);
        config.MetricsInterval.ShouldBe(TimeSpan.FromSeconds(60));
        (
            config.EnableMetrics,
            config.TrackSessionMetrics,
            config.TrackResourceMetrics,
            config.TrackUserMetrics
        ).ShouldBe((true, true, true, true));
    }

    [Fact]
    public void EveryFaultIsReportedAtOnceWithWhatIsAllowedAndTheNearestName()
    {
        var faults = Faults(
            """{"metricInterval":60,"metricsInterval":5,"enabled":"maybe","userTag":"names","apiKey":"","intakeUrl":"ftp://x"}"""
        );
        faults.ShouldContain("metricInterval: is not a known key; did you mean \"metricsInterval\"?");
        faults.ShouldContain("metricsInterval: must be a whole number from 10 to 300, not 5.");
        faults.ShouldContain("enabled: must be true or false, not that text.");
        faults.ShouldContain("userTag: must be one of name, id, none. Did you mean name?");
        faults.ShouldContain(f => f.StartsWith("apiKey: is empty"));
        faults.ShouldContain("intakeUrl: must be an absolute http or https URL.");
        faults.Count.ShouldBe(6);
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void TheIntervalIsHeldToItsLimits(int seconds, bool taken) =>
        Faults($$"""{"metricsInterval":{{seconds}}}""").Count.ShouldBe(taken ? 0 : 1);

    [Fact]
    public void TextsOfStreamSpacesOwnFormAreReadAsWhatTheyMean()
    {
        var config = Read(
            """{"metricsInterval":"30","enabled":"True","globalTags":"env:dev, team:x\nregion:eu","maxSeries":"5000"}"""
        );
        config.MetricsInterval.ShouldBe(TimeSpan.FromSeconds(30));
        config.GlobalTags.ShouldBe(["env:dev", "team:x", "region:eu"]);
        config.MaxSeries.ShouldBe(5000);
    }

    [Fact]
    public void TheEnvironmentWinsAndIsNamed()
    {
        var config = Read(
            """{"site":"datadoghq.eu","apiKey":"stored","globalTags":["env:dev","team:x"]}""",
            ("DD_SITE", "us5.datadoghq.com"),
            ("DD_API_KEY", Secret.ApiKey),
            ("DD_ENV", "prod"),
            ("DD_TAGS", "a:b c:d"),
            ("DD_DD_URL", "http://127.0.0.1:9")
        );
        config.Site.ShouldBe("us5.datadoghq.com");
        config.ApiKey.ShouldBe(Secret.ApiKey);
        config.IntakeUrl.ShouldBe(new Uri("http://127.0.0.1:9"));
        config.GlobalTags.ShouldBe(["team:x", "env:prod", "a:b", "c:d"]);
        config.FixedByEnvironment.ShouldBe(["apiKey", "site", "intakeUrl"], ignoreOrder: true);
    }

    [Fact]
    public void AnIntakeUrlWithAPasswordIsAFault() =>
        Faults($$"""{"intakeUrl":"http://ada:{{Secret.ProxyPassword}}@127.0.0.1:9"}""")
            .ShouldBe(["intakeUrl: must hold no user and no password: it is shown."]);

    [Fact]
    public void AKeyFileIsReadAndOneThatIsMissingIsAFault()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        File.WriteAllText(file, $"{Secret.ApiKey}\n");
        Read("{}", ("DD_API_KEY_FILE", file)).ApiKey.ShouldBe(Secret.ApiKey);
        File.Delete(file);
        Faults("{}", ("DD_API_KEY_FILE", file))
            .ShouldHaveSingleItem()
            .ShouldBe("DD_API_KEY_FILE: cannot be read: there is no such file.");
    }

    [Fact]
    public void TheClusterBecomesATagOnEverything() =>
        Read("""{"cluster":"west","globalTags":["cluster:old","env:x"]}""")
            .GlobalTags.ShouldBe(["env:x", "cluster:west"]);

    [Fact]
    public void ARealSiteMayWaitForItsKeyButNotBeGivenAnEmptyOne()
    {
        Read("""{"site":"datadoghq.eu"}""").ApiKey.ShouldBeNull();
        Faults("""{"site":"datadoghq.eu","apiKey":"  "}""").ShouldHaveSingleItem().ShouldStartWith("apiKey: is empty");
        Read("""{"site":"sandbox","apiKey":""}""").ApiKey.ShouldBeNull();
    }

    [Theory]
    [InlineData("sandbox", null, true)]
    [InlineData("sandbox", "http://127.0.0.1:9", true)]
    [InlineData("sandbox", "http://intake.example.com", false)]
    [InlineData("datadoghq.com", "http://127.0.0.1:9", false)]
    [InlineData("some.site.of.tomorrow", null, false)]
    public void OnlyTheSandboxOnThisMachineKeepsDataLocal(string site, string? intakeUrl, bool local) =>
        Read(new JsonObject { ["site"] = site, ["intakeUrl"] = intakeUrl }.ToJsonString())
            .KeepsDataLocal.ShouldBe(local);

    [Theory]
    [InlineData("sandbox", false)]
    [InlineData("datadoghq.eu", true)]
    public void WhatStaysOnThisMachineGoesThroughNoProxyOfTheEnvironment(string site, bool goes) =>
        Read($$"""{"site":"{{site}}"}""", ("HTTPS_PROXY", "http://proxy.example.com:3128"))
            .Intake(Sandbox, "instance:a")
            .Proxy.ShouldBe(goes ? new Uri("http://proxy.example.com:3128") : null);

    [Fact]
    public void TheQueueOfThisMachinesSandboxIsForNoOtherPlace()
    {
        var here = Destination("""{"site":"sandbox"}""");
        Destination("""{"site":"sandbox","intakeUrl":"http://127.0.0.1:9"}""").ShouldBe(here);
        Destination("""{"site":"sandbox","intakeUrl":"https://sandbox.example.com"}""").ShouldNotBe(here);
        Destination("""{"site":"datadoghq.com"}""").ShouldNotBe(here);
        Destination("""{"site":"datadoghq.eu"}""").ShouldBe(Destination("""{"site":"datadoghq.com"}"""));

        static string Destination(string config) => Read(config).Intake(Sandbox, "instance:a").Destination;
    }

    [Theory]
    [InlineData("us5")]
    [InlineData("datadoghq")]
    [InlineData("https://app.datadoghq.com")]
    public void WhatIsNoHostOfDatadogIsNoSite(string site) =>
        Faults($$"""{"site":"{{site}}"}""").ShouldHaveSingleItem().ShouldStartWith("site: must be a Datadog site");

    [Fact]
    public void TheSandboxWithoutOneIsAFault()
    {
        new ConfigReader(Manifests.Ours().ConfigSchema, new Dictionary<string, string>(), sandbox: null)
            .Read(new JsonObject { ["site"] = "sandbox" }, out var faults)
            .ShouldBeNull();
        faults.ShouldHaveSingleItem().Key.ShouldBe("site");
    }

    [Fact]
    public void NoFaultAndNoTextOfAConfigTellsASecret()
    {
        var faults = Faults(
            $$"""{"apiKey":"{{Secret.ApiKey}} x","appKey":["{{Secret.ApiKey}}"],"metricsInterval":"{{Secret.ApiKey}}"}"""
        );
        faults.ShouldNotBeEmpty();
        faults.ShouldAllBe(f => !f.Contains(Secret.ApiKey));
        Read($$"""{"apiKey":"{{Secret.ApiKey}}"}""").ToString().ShouldNotContain(Secret.ApiKey);
    }

    [Fact]
    public void AGlobalTagThatDatadogWouldRefuseIsAFault() =>
        Faults(
            new JsonObject
            {
                ["globalTags"] = new JsonArray("env:prod", new string('a', 201), "1:x", ""),
            }.ToJsonString()
        )
            .Count.ShouldBe(3);

    private static DatadogConfig Read(string json, params (string, string)[] environment)
    {
        var config = Reader(environment).Read((JsonObject)JsonNode.Parse(json)!, out var faults);
        faults.ShouldBeEmpty();
        return config.ShouldNotBeNull();
    }

    private static List<string> Faults(string json, params (string, string)[] environment)
    {
        Reader(environment).Read((JsonObject)JsonNode.Parse(json)!, out var faults);
        return [.. faults.Select(f => f.ToString())];
    }

    private static ConfigReader Reader((string Name, string Value)[] environment) =>
        new(Manifests.Ours().ConfigSchema, environment.ToDictionary(e => e.Name, e => e.Value), Sandbox);
}
