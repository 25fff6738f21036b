using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentlessDatadog.Sandbox.Schemas;
using Shouldly;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Datadog.Provisioning;
using Xunit;

namespace StreamSpace.Datadog.Tests.Provisioning;

/// <summary>What is brought to Datadog, held to what Datadog says it takes and to the specification.</summary>
public sealed partial class AssetTests
{
    private static readonly Installation Second = new()
    {
        Cluster = "eu-west",
        Notify = "@slack-platform-alerts",
        TagKeys = ["env", "cluster", "team"],
    };

    // Of what Datadog publishes as deprecated, and of what it alone writes.
    private static readonly string[] NotForUs =
    [
        "q",
        "events",
        "default",
        "start",
        "is_read_only",
        "locked",
        "silenced",
        "notify_no_data",
        "no_data_timeframe",
        "new_host_delay",
        "id",
        "created_at",
        "modified_at",
        "author_handle",
        "url",
    ];

    public static TheoryData<string, string> Schemas =>
        new()
        {
            { nameof(AssetKind.Slo), "ServiceLevelObjectiveRequest" },
            { nameof(AssetKind.Monitor), "Monitor" },
            { nameof(AssetKind.Dashboard), "Dashboard" },
        };

    [Theory]
    [MemberData(nameof(Schemas))]
    public void EachHasOnlyFieldsTypesAndWordsThatDatadogPublishes(string kind, string schema)
    {
        foreach (var asset in Of(Enum.Parse<AssetKind>(kind)))
        {
            OpenApiSchema.V1.ErrorIn(JsonSerializer.SerializeToElement(asset.Body), schema).ShouldBeNull(asset.Key);
            Fields(asset.Body).Intersect(NotForUs).ShouldBeEmpty(asset.Key);
        }
    }

    [Fact]
    public void TheSpecificationsDashboardsHaveItsTitlesAndWidgetsInItsOrder()
    {
        Widgets("session-overview")
            .Select(Shown)
            .ShouldBe([
                "Active Sessions: timeseries line",
                "Session Duration: heatmap",
                "Sessions Created: toplist",
                "Resource Usage: timeseries area",
            ]);
        Widgets("user-activity")
            .Select(Shown)
            .ShouldBe([
                "User Logins: timeseries bars",
                "Active Users: query_value",
                "Users with a session: query_value",
                "User Sessions: query_table",
            ]);
        Of(AssetKind.Dashboard)
            .Select(d => d.Name)
            .Take(3)
            .ShouldBe(["StreamSpace Overview", "Session Overview", "User Activity"]);
    }

    [Fact]
    public void EachWidgetOfTheSpecificationAsksForItsMetricSoThatItIsDrawnAsMeant()
    {
        Queries(Widgets("session-overview"))
            .ShouldBe([
                "sum:streamspace.session.active{$env,$cluster,$template,$user}",
                "max:streamspace.session.duration{$env,$cluster,$template,$user} by {session}",
                "sum:streamspace.session.created{$env,$cluster,$template,$user} by {template}.as_count()",
                "avg:streamspace.session.cpu_usage{$env,$cluster,$template,$user}",
                "sum:streamspace.session.memory_usage{$env,$cluster,$template,$user} by {template}",
            ]);
        Queries(Widgets("user-activity"))
            .ShouldBe([
                "sum:streamspace.user.login{$env,$cluster,$user}.as_count()",
                "max:streamspace.users.total{$env,$cluster}",
                "sum:streamspace.session.active{$env,$cluster,$template,$user} by {user}",
                "sum:streamspace.session.active{$env,$cluster,$template,$user} by {user}",
            ]);
        // Percent beside bytes would lie on the ground.
        Widgets("session-overview")[3]!["definition"]!["requests"]![1]!["on_right_yaxis"]!
            .GetValue<bool>()
            .ShouldBeTrue();
    }

    [Theory]
    [InlineData(
        "high-session-count",
        "High Session Count Alert",
        "avg(last_5m):sum:streamspace.session.active{*} > 100",
        "StreamSpace has {{value}} active sessions (threshold: {{threshold}})"
    )]
    [InlineData(
        "long-session-duration",
        "Long Session Duration Alert",
        "max(last_15m):max:streamspace.session.duration{*} by {session} > 28800",
        "Session {{session.name}} has been running for {{value}} seconds"
    )]
    [InlineData(
        "high-resource-usage",
        "High Resource Usage Alert",
        "avg(last_10m):avg:streamspace.session.cpu_usage{*} by {session} > 90",
        "Session {{session.name}} CPU usage is {{value}}%"
    )]
    public void TheSpecificationsMonitorsAskAndSayWhatItSays(string key, string name, string query, string says)
    {
        var monitor = One(AssetKind.Monitor, key);
        monitor.Name.ShouldBe(name);
        Text(monitor.Body, "query").ShouldBe(query);
        Text(monitor.Body, "message").Split('\n')[0].ShouldBe(says);
    }

    [Fact]
    public void TheThresholdOfAQueryIsTheCriticalOneAndThoseOfRecoveryLieOnItsGoodSide()
    {
        foreach (var monitor in Of(AssetKind.Monitor))
        {
            var thresholds = (JsonObject)monitor.Body["options"]!["thresholds"]!;
            var (critical, query) = (Number(thresholds["critical"]!), Text(monitor.Body, "query"));
            double.Parse(query[(query.LastIndexOf(' ') + 1)..]).ShouldBe(critical, monitor.Key);
            if (thresholds.Count > 1)
            {
                // All but one alert above theirs.
                query.ShouldContain(" > ");
                string[] falling = ["critical", "critical_recovery", "warning", "warning_recovery"];
                var given = falling.Where(thresholds.ContainsKey).Select(t => Number(thresholds[t]!)).ToList();
                given.SequenceEqual(given.Distinct().OrderDescending()).ShouldBeTrue(monitor.Key);
            }
        }
    }

    [Fact]
    public void OnlyGroupsThatAMonitorHasAreNamedInItsMessage()
    {
        foreach (var monitor in Of(AssetKind.Monitor))
        {
            var groups = Groups().Match(Text(monitor.Body, "query")).Groups[1].Value.Split(',');
            Named()
                .Matches(Text(monitor.Body, "message"))
                .Select(m => m.Groups[1].Value)
                .ShouldBeSubsetOf(groups, monitor.Key);
        }
    }

    [Fact]
    public void AQueryAsksOnlyForMetricsThatAreSentAndTagsThatTheyHave()
    {
        string[] everywhere = ["env", "cluster"];
        foreach (var text in AllQueries())
        {
            foreach (Match asked in Metric().Matches(text))
            {
                var metric = MetricCatalog.All.SingleOrDefault(m => m.Name == asked.Groups["metric"].Value);
                metric.ShouldNotBeNull(text);
                var keys = asked
                    .Groups["scope"]
                    .Value.Split(',')
                    .Concat(asked.Groups["by"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries))
                    .Select(k => k.TrimStart('$').Split(':')[0]);
                keys.Except(["*"]).Except(everywhere).ShouldBeSubsetOf(metric.Tags, text);
            }
            Metric().Count(text).ShouldBeGreaterThan(0, text);
        }
    }

    [Fact]
    public void APercentileIsAskedOnlyOfADistributionThatHasThem()
    {
        var asked = AllQueries()
            .SelectMany(text => Percentile().Matches(text).Select(m => m.Groups[1].Value))
            .Distinct()
            .ToList();
        asked.ShouldBe(MetricCatalog.WithPercentiles.Select(m => m.Name));
        One(AssetKind.Percentiles, asked[0], Second).Body["tags"]!
            .AsArray()
            .Select(t => (string)t!)
            .ShouldBe(["cluster", "env", "team", "template"]);
    }

    [Fact]
    public void EveryFormulaOfAWidgetHasANameForReaders() =>
        Of(AssetKind.Dashboard)
            .SelectMany(d => Definitions(d.Body["widgets"]!.AsArray()))
            .SelectMany(definition => definition["requests"]?.AsArray() ?? [])
            .Where(request => (string?)request!["display_type"] != "overlay")
            .SelectMany(request => request!["formulas"]?.AsArray() ?? [])
            .Where(formula => string.IsNullOrEmpty((string?)formula!["alias"]))
            .ShouldBeEmpty();

    [Fact]
    public void WidgetsLieWithinTheirGridAndNotOnEachOther()
    {
        foreach (var dashboard in Of(AssetKind.Dashboard))
        {
            Lies(dashboard.Body["widgets"]!.AsArray(), 12, dashboard.Key);
        }
    }

    [Fact]
    public void ASecondInstallationHasAssetsOfItsOwnThatAskForItsOwnSeries()
    {
        foreach (var kind in new[] { AssetKind.Slo, AssetKind.Monitor })
        {
            foreach (var asset in AssetCatalog.Of(kind, Second, _ => null))
            {
                asset.Name.ShouldEndWith(" · eu-west");
                asset.Body["tags"]!.ToJsonString().ShouldContain("\"cluster:eu-west\"");
                var text = asset.Body.ToJsonString();
                text.ShouldContain("{cluster:eu-west}");
                text.ShouldNotContain("{*}");
            }
        }
        var dashboard = One(AssetKind.Dashboard, "session-overview", Second).Body;
        Text(dashboard, "title").ShouldBe("Session Overview · eu-west");
        dashboard["template_variables"]![1]!["defaults"]![0]!.GetValue<string>().ShouldBe("eu-west");
        Text(One(AssetKind.Monitor, "failed-starts", Second).Body, "message")
            .ShouldEndWith("\n\n@slack-platform-alerts");
    }

    [Fact]
    public void ADashboardShowsAnSloByItsIdOnceThereIsOne()
    {
        var overview = AssetCatalog.Of(AssetKind.Dashboard, Installation.Standard, key => $"id-of-{key}")[0];
        Definitions(overview.Body["widgets"]!.AsArray())
            .Where(d => (string?)d["type"] == "slo")
            .Select(d => (string?)d["slo_id"])
            .ShouldBe(["id-of-starts-that-succeed", "id-of-starts-within-a-minute"]);
    }

    private static IReadOnlyList<Asset> Of(AssetKind kind) =>
        [.. AssetCatalog.Of(kind, Installation.Standard, _ => null), .. AssetCatalog.Of(kind, Second, _ => "abc")];

    private static Asset One(AssetKind kind, string key, Installation? installation = null) =>
        AssetCatalog.Of(kind, installation ?? Installation.Standard, _ => null).Single(a => a.Key == key);

    private static JsonArray Widgets(string key) => One(AssetKind.Dashboard, key).Body["widgets"]!.AsArray();

    private static string Shown(JsonNode? widget)
    {
        var definition = widget!["definition"]!;
        var drawn = (string?)definition["requests"]![0]!["display_type"];
        return $"{definition["title"]}: {definition["type"]} {drawn}".TrimEnd();
    }

    private static IEnumerable<JsonObject> Definitions(JsonArray widgets) =>
        widgets
            .Select(w => (JsonObject)w!["definition"]!)
            .SelectMany(d => d["widgets"] is JsonArray inner ? Definitions(inner).Prepend(d) : [d]);

    private static List<string> Queries(JsonArray widgets) =>
        [
            .. Definitions(widgets)
                .SelectMany(d => d["requests"]?.AsArray() ?? [])
                .SelectMany(r => r!["queries"]?.AsArray() ?? (r["query"] is { } one ? [one.DeepClone()] : []))
                .Where(q => (string?)q!["data_source"] == "metrics")
                .Select(q => (string)q!["query"]!),
        ];

    private static IEnumerable<string> AllQueries() =>
        Of(AssetKind.Dashboard)
            .SelectMany(d => Queries(d.Body["widgets"]!.AsArray()))
            .Concat(Of(AssetKind.Monitor).Select(m => Text(m.Body, "query")))
            .Concat(
                Of(AssetKind.Slo)
                    .SelectMany(s => s.Body["sli_specification"]!["count"]!["queries"]!.AsArray())
                    .Select(q => (string)q!["query"]!)
            );

    private static IEnumerable<string> Fields(JsonNode? json) =>
        json switch
        {
            JsonObject one => one.SelectMany(field => Fields(field.Value).Prepend(field.Key)),
            JsonArray many => many.SelectMany(Fields),
            _ => [],
        };

    private static string Text(JsonObject body, string field) => (string)body[field]!;

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString());

    private static void Lies(JsonArray widgets, int columns, string of)
    {
        var taken = new HashSet<(int, int)>();
        foreach (var widget in widgets)
        {
            var layout = widget!["layout"]!;
            var (x, y, width, height) = (
                (int)layout["x"]!,
                (int)layout["y"]!,
                (int)layout["width"]!,
                (int)layout["height"]!
            );
            (x + width).ShouldBeLessThanOrEqualTo(columns, of);
            foreach (
                var cell in Enumerable.Range(x, width).SelectMany(c => Enumerable.Range(y, height).Select(r => (c, r)))
            )
            {
                taken.Add(cell).ShouldBeTrue($"{of}: {cell}");
            }
            if (widget["definition"]!["widgets"] is JsonArray inner)
            {
                Lies(inner, width, $"{of}/{widget["definition"]!["title"]}");
            }
        }
    }

    [GeneratedRegex(@":(?<metric>streamspace[\w.]+)\{(?<scope>[^}]*)\}(?: by \{(?<by>[^}]*)\})?")]
    private static partial Regex Metric();

    [GeneratedRegex(@"(?:p\d\d|count\(v: v<=\d+\)):([\w.]+)\{")]
    private static partial Regex Percentile();

    [GeneratedRegex(@" by \{([^}]*)\}")]
    private static partial Regex Groups();

    [GeneratedRegex(@"\{\{(\w+)\.name\}\}")]
    private static partial Regex Named();
}
