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
    private static readonly Uri Datadog = new("https://api.datadoghq.com");

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
    public void AKeyThatIsLikeNoOtherIsAnsweredWithAllThereAre()
    {
        var error = Errors("""{"colour":"red"}""").ShouldHaveSingleItem();
        error.ShouldStartWith("colour: is not a known key. The keys are enabled, apiKey, ");
        error.ShouldContain(" traceSampleRate,");
    }

    [Fact]
    public void EveryErrorIsReportedAtOnceWithWhatIsAllowedAndTheNearestName()
    {
        var errors = Errors(
            """{"metricInterval":60,"metricsInterval":5,"enabled":"maybe","userTag":"names","apiKey":"","intakeUrl":"ftp://x"}"""
        );
        errors.ShouldContain("metricInterval: is not a known key; did you mean \"metricsInterval\"?");
        errors.ShouldContain("metricsInterval: must be a whole number from 10 to 300, not 5.");
        errors.ShouldContain("enabled: must be true or false, not that text.");
        errors.ShouldContain("userTag: must be one of name, id, none. Did you mean name?");
        errors.ShouldContain(f => f.StartsWith("apiKey: is empty"));
        errors.ShouldContain("intakeUrl: must be an absolute http or https URL.");
        errors.Count.ShouldBe(6);
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void TheIntervalIsHeldToItsLimits(int seconds, bool taken) =>
        Errors($$"""{"metricsInterval":{{seconds}}}""").Count.ShouldBe(taken ? 0 : 1);

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
        config
            .Origins.Where(o => o.Value.Origin is SettingOrigin.Environment)
            .Select(o => o.Key)
            .ShouldBe(["apiKey", "site", "intakeUrl"], ignoreOrder: true);
    }

    [Fact]
    public void AnIntakeUrlWithAPasswordIsAnError() =>
        Errors($$"""{"intakeUrl":"http://ada:{{Secret.ProxyPassword}}@127.0.0.1:9"}""")
            .ShouldBe(["intakeUrl: must hold no user and no password: it is shown."]);

    [Fact]
    public void AKeyFileIsReadAndOneThatIsMissingIsWaitedForLikeAMissingKey()
    {
        var file = Path.Combine(TestRun.NewGivenFolder(), "key");
        File.WriteAllText(file, $"{Secret.ApiKey}\n");
        Read("{}", ("DD_API_KEY_FILE", file)).ApiKey.ShouldBe(Secret.ApiKey);
        File.Delete(file);
        Read("{}", ("DD_API_KEY_FILE", file)).ApiKey.ShouldBeNull();
        Read($$"""{"apiKey":"{{Secret.Wrong}}"}""", ("DD_API_KEY_FILE", file)).ApiKey.ShouldBeNull();
    }

    [Fact]
    public void TheClusterBecomesATagOnEverything() =>
        Read("""{"cluster":"west","globalTags":["cluster:old","env:x"]}""")
            .GlobalTags.ShouldBe(["env:x", "cluster:west"]);

    [Fact]
    public void ARealSiteMayWaitForItsKeyButNotBeGivenAnEmptyOne()
    {
        Read("""{"site":"datadoghq.eu"}""").ApiKey.ShouldBeNull();
        Errors("""{"site":"datadoghq.eu","apiKey":"  "}""").ShouldHaveSingleItem().ShouldStartWith("apiKey: is empty");
        Read("""{"site":"sandbox","apiKey":""}""").ApiKey.ShouldBeNull();
    }

    [Theory]
    [InlineData("sandbox", null, true)]
    [InlineData("sandbox", "http://127.0.0.1:9", true)]
    [InlineData("sandbox", "http://intake.example.com", false)]
    [InlineData("datadoghq.com", "http://127.0.0.1:9", false)]
    [InlineData("tomorrow.datadoghq.com", null, false)]
    public void OnlyTheSandboxOnThisMachineKeepsDataLocal(string site, string? intakeUrl, bool local) =>
        Read(new JsonObject { ["site"] = site, ["intakeUrl"] = intakeUrl }.ToJsonString())
            .KeepsDataLocal.ShouldBe(local);

    [Theory]
    [InlineData("sandbox", false)]
    [InlineData("datadoghq.eu", true)]
    public void WhatStaysOnThisMachineGoesThroughNoProxyOfTheEnvironment(string site, bool goes) =>
        Read($$"""{"site":"{{site}}"}""", ("HTTPS_PROXY", "http://proxy.example.com:3128"))
            .Intake(Sandbox, "instance:a")
            .Proxy(Datadog)
            .ShouldBe(goes ? new Uri("http://proxy.example.com:3128") : null);

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
        Errors($$"""{"site":"{{site}}"}""")
            .ShouldHaveSingleItem()
            .ShouldStartWith("site: must be one of datadoghq.com, ");

    [Theory]
    [InlineData("datadoghq.con", "Did you mean datadoghq.com?")]
    [InlineData("datadoghq.eu1", "Did you mean datadoghq.eu?")]
    [InlineData("datadoghq.com.", "Did you mean datadoghq.com?")]
    [InlineData("us5.datadoghq.com@example.com", "must be one of")]
    [InlineData("a.b.datadoghq.com", "must be one of")]
    [InlineData("example.com#.datadoghq.com", "must be one of")]
    [InlineData("dаtadoghq.com", "Did you mean datadoghq.com?")]
    [InlineData("sandbx", "Did you mean sandbox?")]
    [InlineData("https://app.datadoghq.eu/", "Did you mean datadoghq.eu?")]
    [InlineData("https://us5.datadoghq.com/dashboard/lists", "Did you mean us5.datadoghq.com?")]
    [InlineData("us5", "Did you mean us5.datadoghq.com?")]
    [InlineData("'datadoghq.eu'", "Did you mean datadoghq.eu? Leave out the quotation marks.")]
    public void ASiteThatIsNotDatadogsIsRefusedWithTheNearestName(string site, string said)
    {
        Errors(new JsonObject { ["site"] = site }.ToJsonString()).ShouldHaveSingleItem().ShouldContain(said);
        Errors("{}", ("DD_SITE", site)).ShouldHaveSingleItem().ShouldStartWith("DD_SITE: must be one of");
    }

    [Theory]
    [InlineData("app.datadoghq.eu", "datadoghq.eu", false)]
    [InlineData("api.us5.datadoghq.com", "us5.datadoghq.com", false)]
    [InlineData("US5.DATADOGHQ.COM", "us5.datadoghq.com", false)]
    [InlineData("us2.ddog-gov.com", "us2.ddog-gov.com", false)]
    [InlineData("ap9.datadoghq.com", "ap9.datadoghq.com", true)]
    public void ASiteOfDatadogsIsTakenByNameAndARegionThatNobodyKnowsIsAWarning(string given, string site, bool odd)
    {
        var config = Read("{}", ("DD_SITE", $" {given}\n"));
        config.Site.ShouldBe(site);
        config.Values["site"]!.GetValue<string>().ShouldBe(site);
        config.Warnings.Any(w => w.What == "DD_SITE").ShouldBe(odd);
    }

    [Theory]
    [InlineData("apiKey")]
    [InlineData("appKey")]
    [InlineData("cluster")]
    public void AValueInQuotationMarksIsNamedWhateverItIs(string key) =>
        Read(new JsonObject { [key] = "\"0123456789abcdef\"", ["site"] = "datadoghq.eu" }.ToJsonString())
            .Warnings.ShouldContain(w =>
                w.What == key && w.Found == $"{key} stands in quotation marks, which are taken as part of its value."
            );

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef", false)]
    [InlineData("0123456789ABCDEF0123456789ABCDEF", false)]
    [InlineData("0123456789abcdef0123456789abcde", true)]
    [InlineData("0123456789abcdef0123456789abcdeg", true)]
    public void AnApiKeyThatIsNot32HexadecimalDigitsIsAWarning(string key, bool odd) =>
        Read($$"""{"apiKey":"{{key}}"}""")
            .Warnings.Any(w => w.Found.Contains("those of Datadog are 32 hexadecimal digits"))
            .ShouldBe(odd);

    [Fact]
    public void WhatTheEnvironmentCoversIsJudgedAllTheSameAndTheVariablesAreToo()
    {
        var errors = Errors(
            """{"site":"nowhere","intakeUrl":"ftp://x","apiKey":"two keys","globalTags":["1:x"],"metricsInterval":5}""",
            ("DD_SITE", "elsewhere"),
            ("DD_DD_URL", "gopher://x"),
            ("DD_API_KEY", "a b"),
            ("DD_APP_KEY", new string('k', 129)),
            ("DD_TAGS", $"2:y\ngood:one,{new string('t', 201)}"),
            ("DD_ENV", new string('e', 200)),
            ("DD_PROXY_HTTPS", "not a proxy")
        );
        foreach (
            var name in (string[])
                [
                    "site",
                    "intakeUrl",
                    "apiKey",
                    "globalTags",
                    "metricsInterval",
                    "DD_SITE",
                    "DD_DD_URL",
                    "DD_API_KEY",
                    "DD_APP_KEY",
                    "DD_TAGS",
                    "DD_ENV",
                    "DD_PROXY_HTTPS",
                ]
        )
        {
            errors.ShouldContain(f => f.StartsWith($"{name}: ", StringComparison.Ordinal), string.Join('\n', errors));
        }
    }

    [Fact]
    public void TheTagsOfConfigAndEnvironmentTogetherAreBoundedInNumberAndLength()
    {
        var many = string.Join(' ', Enumerable.Range(0, 100).Select(i => $"t{i}:x"));
        Errors("""{"globalTags":[]}""", ("DD_TAGS", many)).ShouldBeEmpty();
        Errors("""{"globalTags":["one:more"]}""", ("DD_TAGS", many))
            .ShouldHaveSingleItem()
            .ShouldStartWith("globalTags: come, with those of the environment, to 101");
        var large = string.Join(',', Enumerable.Range(0, 26).Select(i => $"t:{i}{new string('x', 190)}"));
        Errors("""{"globalTags":[]}""", ("DD_TAGS", large)).ShouldHaveSingleItem().ShouldContain("5000");
        Errors(new JsonObject { ["globalTags"] = many.Replace(' ', ',') + ",a:b" }.ToJsonString())
            .ShouldContain("globalTags: must have at most 100 entries, not 101.");
    }

    [Fact]
    public void TagsOfTheEnvironmentArePartedByAnyWhiteSpaceOrCommas() =>
        Read("{}", ("DD_TAGS", "a:b\nc:d\t e:f,g:h , i:j"))
            .GlobalTags.ShouldBe(["env:production", "a:b", "c:d", "e:f", "g:h", "i:j"]);

    [Theory]
    [InlineData("https://api.datadoghq.eu", "HTTPS_PROXY", "proxy.corp:3128", "http://proxy.corp:3128/")]
    [InlineData("https://api.datadoghq.eu", "https_proxy", "http://proxy.corp:3128", "http://proxy.corp:3128/")]
    [InlineData("https://api.datadoghq.eu", "DD_PROXY_HTTPS", "https://proxy.corp", "https://proxy.corp/")]
    [InlineData("https://api.datadoghq.eu", "HTTP_PROXY", "http://proxy.corp:3128", null)]
    [InlineData("http://intake.example.com", "HTTP_PROXY", "http://proxy.corp:3128", "http://proxy.corp:3128/")]
    [InlineData("http://intake.example.com", "HTTPS_PROXY", "http://proxy.corp:3128", null)]
    [InlineData("http://127.0.0.1:9", "HTTP_PROXY", "http://proxy.corp:3128", null)]
    public void TheEnvironmentsProxyIsThatOfTheDestinationsScheme(
        string url,
        string variable,
        string value,
        string? proxy
    ) => Read("{}", ("DD_DD_URL", url), (variable, value)).Proxy(new Uri(url))?.ToString().ShouldBe(proxy);

    [Fact]
    public void DatadogsOwnProxyVariablesComeFirst()
    {
        (string, string)[] all =
        [
            ("DD_PROXY_HTTPS", "dd.corp:1"),
            ("HTTPS_PROXY", "upper.corp:1"),
            ("https_proxy", "lower.corp:1"),
            ("NO_PROXY", "*"),
        ];
        Read("{}", all).Proxy(Datadog).ShouldBeNull();
        Read("{}", [.. all, ("DD_PROXY_NO_PROXY", "elsewhere")]).Proxy(Datadog)!.Host.ShouldBe("dd.corp");
        Read("{}", all[1..3]).Proxy(Datadog)!.Host.ShouldBe("upper.corp");
    }

    [Theory]
    [InlineData("datadoghq.com", true)]
    [InlineData(".datadoghq.com", true)]
    [InlineData("*.datadoghq.com", true)]
    [InlineData("localhost, API.DATADOGHQ.COM:443", true)]
    [InlineData("10.0.0.0/8 api.datadoghq.com", true)]
    [InlineData("api.datadoghq.com:80", false)]
    [InlineData("hq.com", false)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData(",", false)]
    public void WhatNoProxyNamesIsReachedWithout(string list, bool without) =>
        (Read("{}", ("HTTPS_PROXY", "proxy.corp:3128"), ("no_proxy", list)).Proxy(Datadog) is null).ShouldBe(without);

    [Theory]
    [InlineData("http://collector.corp:4318", "collector.corp", null)]
    [InlineData("http://collector.corp:4318", "elsewhere", "http://plain.corp:1/")]
    [InlineData("https://collector.corp", "elsewhere", "http://tls.corp:1/")]
    [InlineData("https://otlp.datadoghq.com", "otlp.datadoghq.com", null)]
    [InlineData("http://127.0.0.1:4318", "elsewhere", null)]
    public void EachPlaceHasTheEnvironmentsProxyForItself(string url, string none, string? proxy)
    {
        var config = Read(
            $$"""{"tracesEndpoint":"{{url}}"}""",
            ("HTTPS_PROXY", "tls.corp:1"),
            ("HTTP_PROXY", "plain.corp:1"),
            ("NO_PROXY", none)
        );
        config.Proxy(config.TracesEndpoint!)?.ToString().ShouldBe(proxy);
        config.Proxy(Datadog).ShouldBe(new Uri("http://tls.corp:1"));
    }

    [Fact]
    public void AProxyOfTheConfigIsForAllButThisMachine()
    {
        var config = Read(
            """{"proxy":"proxy.corp:3128","tracesEndpoint":"http://localhost:4318"}""",
            ("NO_PROXY", "*")
        );
        config.Proxy(config.TracesEndpoint!).ShouldBeNull();
        config.Proxy(Datadog).ShouldBe(new Uri("http://proxy.corp:3128"));
    }

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.1.2.3:80", true)]
    [InlineData("10.1.2.3:81", false)]
    [InlineData("11.0.0.0/8", false)]
    public void NoProxyNamesAddressesAndRanges(string list, bool named) =>
        EnvironmentProxy.IsListed(new Uri("http://10.1.2.3"), list).ShouldBe(named);

    [Theory]
    [InlineData("HTTPS_PROXY", "socks5://proxy.corp")]
    [InlineData("https_proxy", "'http://proxy.corp:3128'")]
    public void AVariableThatIsNotOursCostsAWarningAndNotTheConfig(string variable, string value)
    {
        var config = Read("{}", (variable, value));
        config.Proxy(Datadog).ShouldBeNull();
        config.Warnings.ShouldContain(w => w.What == variable && w.Found.EndsWith("It is not used."));
    }

    [Theory]
    [InlineData("proxy.corp:3128")]
    [InlineData("http://proxy.corp:3128")]
    public void AProxyMayBeGivenAsHostAndPort(string proxy) =>
        Read($$"""{"proxy":"{{proxy}}"}""").Proxy(Datadog).ShouldBe(new Uri("http://proxy.corp:3128"));

    [Theory]
    [InlineData("5ec3e7a9100c0ffee0d15ea5e0ba5e1", true)]
    [InlineData("\"5ec3e7a9100c0ffee0d15ea5e0ba5e11\"", true)]
    [InlineData(Secret.ApiKey, false)]
    public void AKeyThatDoesNotLookLikeOneIsAWarning(string key, bool odd) =>
        Read(new JsonObject { ["apiKey"] = key }.ToJsonString()).Warnings.Any(w => w.What == "apiKey").ShouldBe(odd);

    [Fact]
    public void TheSandboxWithoutOneIsAnError()
    {
        new ConfigReader(
            Manifests.Ours().ConfigSchema,
            new Dictionary<string, string>(),
            new KeyFiles(new Dictionary<string, string>()),
            sandbox: null
        )
            .Read(new(new JsonObject { ["site"] = "sandbox" }), out var errors)
            .ShouldBeNull();
        errors.ShouldHaveSingleItem().Key.ShouldBe("site");
    }

    [Fact]
    public void NoErrorAndNoTextOfAConfigTellsASecret()
    {
        var errors = Errors(
            $$"""{"apiKey":"{{Secret.ApiKey}} x","appKey":["{{Secret.ApiKey}}"],"metricsInterval":"{{Secret.ApiKey}}"}"""
        );
        errors.ShouldNotBeEmpty();
        errors.ShouldAllBe(f => !f.Contains(Secret.ApiKey));
        Read($$"""{"apiKey":"{{Secret.ApiKey}}"}""").ToString().ShouldNotContain(Secret.ApiKey);
    }

    [Fact]
    public void AGlobalTagThatDatadogWouldRefuseIsAnError() =>
        Errors(
            new JsonObject
            {
                ["globalTags"] = new JsonArray("env:prod", new string('a', 201), "1:x", ""),
            }.ToJsonString()
        )
            .Count.ShouldBe(3);

    [Theory]
    [InlineData("@slack-platform-alerts @pagerduty-platform")]
    [InlineData("@ada@example.com  @team-platform")]
    [InlineData(" ")]
    public void HandlesForTheMonitorsAreTaken(string notify) => Errors($$"""{"notify":"{{notify}}"}""").ShouldBeEmpty();

    [Theory]
    [InlineData("slack-platform-alerts")]
    [InlineData("ada@example.com")]
    [InlineData("@")]
    [InlineData("@ slack")]
    [InlineData("@@slack-platform")]
    [InlineData("@slack-a,@slack-b")]
    [InlineData("@slack-a, ada@example.com")]
    [InlineData("'@slack-a'")]
    [InlineData("{{#is_alert}}@slack-a{{/is_alert}}")]
    public void WhatIsNoHandleIsAnErrorForAMonitorWouldTellNobody(string notify)
    {
        var errors = Errors($$$"""{"notify":"{{{notify}}}"}""");
        errors.ShouldNotBeEmpty();
        errors.ShouldAllBe(error => error.StartsWith("notify: \"") && error.Contains("begins with @"));
    }

    private static DatadogConfig Read(string json, params (string, string)[] environment)
    {
        var config = Reader(environment).Read(new((JsonObject)JsonNode.Parse(json)!), out var errors);
        errors.ShouldBeEmpty();
        return config.ShouldNotBeNull();
    }

    private static List<string> Errors(string json, params (string, string)[] environment)
    {
        Reader(environment).Read(new((JsonObject)JsonNode.Parse(json)!), out var errors);
        return [.. errors.Select(f => f.ToString())];
    }

    private static ConfigReader Reader((string Name, string Value)[] environment)
    {
        var variables = EnvironmentVariables.Read(environment.ToDictionary(e => e.Name, e => e.Value));
        return new(Manifests.Ours().ConfigSchema, variables, new KeyFiles(variables), Sandbox);
    }
}
