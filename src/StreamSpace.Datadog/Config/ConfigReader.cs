using System.Text.Json.Nodes;
using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// Reads a config with the environment over it, and reports all that is wrong at once: also of what the environment
/// covers, for that comes into force when the variable goes.
/// </summary>
internal sealed class ConfigReader(
    ConfigSchema schema,
    IReadOnlyDictionary<string, string> environment,
    KeyFiles files,
    Uri? sandbox
)
{
    // Datadog's limit is 100 tags on one thing; these are on every one.
    private const int MostTags = 100;
    private const int MostTagCharacters = 5000;

    // What StreamSpace's row may hold and should not, for everyone who is signed in there reads and writes it; and what to set
    // in its place.
    private static readonly (string Key, string Variable, string Then)[] BelongsInEnvironment =
    [
        ("apiKey", "DD_API_KEY", "make a new one, for this one was seen"),
        ("appKey", "DD_APP_KEY", "make a new one, for this one was seen"),
        ("proxy", "DD_PROXY_HTTPS", "change its password when it has one, for that was seen"),
        ("intakeUrl", "DD_DD_URL", "see that it is yours, for anyone may have set it"),
        ("tracesEndpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "see that it is yours, for anyone may have set it"),
    ];

    private readonly EnvironmentConfig _environment = new(schema, environment, files);

    /// <summary>The config to put in force, or null with at least one error.</summary>
    public DatadogConfig? Read(PluginSettings given, out IReadOnlyList<ConfigError> errors)
    {
        var found = new List<ConfigError>();
        var warnings = new List<CheckFinding>();
        var rules = new ValueRules(found, warnings);
        Judge(given, found);
        var whole = given.With(_environment.Layer(found), SettingOrigin.Environment);
        var values = schema.Read(whole.Values, []);
        var read = new Values(values);
        _environment.Warn(rules);

        var site = rules.Site(NameOf("site", whole), read.Text("site") ?? "");
        var isSandbox = site == DatadogConfig.Sandbox;
        var apiKey = Key("apiKey", whole, rules, isNeeded: !isSandbox);
        var appKey = Key("appKey", whole, rules, isNeeded: false);
        var travel = new KeyTravel(
            [
                .. new[] { ("apiKey", apiKey), ("appKey", appKey) }
                    .Where(key => key.Item2 is not null)
                    .Select(key => (key.Item1, whole.OriginOf(key.Item1))),
            ],
            origin => DatadogConfig.Said(origin, given.RowWritten),
            rules
        );
        var intakeUrl = travel.Permitted("intakeUrl", Places("intakeUrl", whole, rules.PlainAddress));
        var proxy = travel.Permitted("proxy", Places("proxy", whole, rules.Proxy));
        var traces = travel.Permitted("tracesEndpoint", Places("tracesEndpoint", whole, rules.PlainAddress));
        if (traces is { Address.IsLoopback: false } && DatadogConfig.IsLocal(site, intakeUrl?.Address))
        {
            rules.Warn(
                "tracesEndpoint",
                "tracesEndpoint is not applied: the site is the sandbox, and what the demo invents never leaves this machine.",
                "Set site to the one of your account, or take tracesEndpoint out."
            );
            traces = null;
        }
        if (isSandbox && intakeUrl is null && sandbox is null)
        {
            rules.Error("site", "is sandbox, but this host runs none: set intakeUrl, a real site, or --sandbox-urls.");
        }
        var destination =
            intakeUrl?.Address ?? (isSandbox ? sandbox : new Uri($"https://api.{site ?? "datadoghq.com"}"));
        // Each place is asked about, for what its variable holds is judged.
        var way = new[] { destination, traces?.Address }
            .OfType<Uri>()
            .Where(_ => proxy is null)
            .Select(place => EnvironmentProxy.For(place, environment, rules))
            .ToList()
            .Find(named => named is not null);
        var tags = Tags(read, rules);
        foreach (var (key, value) in values.Where(v => whole.OriginOf(v.Key) is not SettingOrigin.Environment))
        {
            rules.IsQuoted(key, value is JsonValue one && one.TryGetValue(out string? text) ? text : "");
        }
        if (traces is { } endpoint)
        {
            rules.GoesInClear("tracesEndpoint", endpoint.Address);
        }
        WarnOf(whole, intakeUrl, apiKey, isSandbox, rules);

        errors = [.. found.Distinct()];
        if (errors.Count > 0)
        {
            return null;
        }
        values["site"] = site;
        Show("intakeUrl", intakeUrl);
        Show("proxy", proxy);
        Show("tracesEndpoint", traces);
        return new DatadogConfig
        {
            Values = values,
            Origins = schema.Keys.ToDictionary(
                key => key,
                key =>
                    key switch
                    {
                        "globalTags" => new SettingSource(whole.OriginOf(key), _environment.TagVariables),
                        "intakeUrl" => SourceOf(key, intakeUrl?.Origin ?? SettingOrigin.Default),
                        "proxy" when way is { Variable: var variable } => new(SettingOrigin.Environment, [variable]),
                        "proxy" => SourceOf(key, proxy?.Origin ?? SettingOrigin.Default),
                        "tracesEndpoint" => SourceOf(key, traces?.Origin ?? SettingOrigin.Default),
                        _ => SourceOf(key, whole.OriginOf(key)),
                    },
                StringComparer.Ordinal
            ),
            Warnings = [.. warnings.Distinct()],
            RowWritten = given.RowWritten,
            Enabled = read.Flag("enabled"),
            ApiKey = apiKey,
            AppKey = appKey,
            Site = site!,
            EnableMetrics = read.Flag("enableMetrics"),
            EnableTraces = read.Flag("enableTraces"),
            EnableLogs = read.Flag("enableLogs"),
            GlobalTags = tags,
            MetricsInterval = TimeSpan.FromSeconds(read.Whole("metricsInterval")),
            TrackSessionMetrics = read.Flag("trackSessionMetrics"),
            TrackResourceMetrics = read.Flag("trackResourceMetrics"),
            TrackUserMetrics = read.Flag("trackUserMetrics"),
            IntakeUrl = intakeUrl?.Address,
            Proxy = place =>
                place.IsLoopback ? null
                : proxy is { Address: var address } ? address
                : EnvironmentProxy.For(place, environment, new ValueRules([], []))?.Address,
            TracesEndpoint = traces?.Address,
            Cluster = read.Text("cluster"),
            UserTag = Enum.Parse<UserTag>(read.Text("userTag")!, ignoreCase: true),
            SessionTagOnDuration = read.Flag("sessionTagOnDuration"),
            UseDistributions = read.Flag("useDistributions"),
            MaxSeries = (int)read.Whole("maxSeries"),
            QueueMaxBytes = read.Whole("queueMaxBytes"),
            OnUncertain = Enum.Parse<OnUncertain>(read.Text("onUncertain")!, ignoreCase: true),
            TraceSampleRate = read.Number("traceSampleRate"),
            TraceRequests = read.Flag("traceRequests"),
            Host = _environment.Host,
            Notify = read.Text("notify"),
        };

        void Show(string key, (Uri Address, SettingOrigin)? place)
        {
            values.Remove(key);
            if (place is { } applied)
            {
                values[key] = applied.Address.OriginalString;
            }
        }
    }

    // Only what is in force is worth a warning.
    private void Judge(PluginSettings given, List<ConfigError> errors)
    {
        var rules = new ValueRules(errors, []);
        var read = new Values(schema.Read(given.Values, errors));
        rules.Site("site", read.Text("site") ?? "");
        rules.Tags("globalTags", read.List("globalTags"));
        rules.Handles("notify", read.Text("notify") ?? "");
        foreach (
            var (key, judge) in new (string, Action<string>)[]
            {
                ("apiKey", text => rules.Key("apiKey", text)),
                ("appKey", text => rules.Key("appKey", text)),
                ("intakeUrl", text => rules.PlainAddress("intakeUrl", text)),
                ("tracesEndpoint", text => rules.PlainAddress("tracesEndpoint", text)),
                ("proxy", text => rules.Proxy("proxy", text)),
            }
        )
        {
            if (read.Text(key) is { } text)
            {
                judge(text);
            }
        }
    }

    // An absent key is kept waiting for; one that is there and empty was meant to be filled in.
    private string? Key(string key, PluginSettings whole, ValueRules rules, bool isNeeded)
    {
        if (whole.Values[key] is not JsonValue value || !value.TryGetValue(out string? text))
        {
            return null;
        }
        if (text.Trim() is { Length: > 0 } given)
        {
            return rules.Key(NameOf(key, whole), given);
        }
        if (isNeeded)
        {
            rules.Error(key, "is empty; give the key, or leave it out until you have one.");
        }
        return null;
    }

    // From the topmost layer down, each that has one.
    private IEnumerable<(Uri, SettingOrigin)> Places(string key, PluginSettings whole, Func<string, string, Uri?> read)
    {
        for (var layer = whole; layer is not null; layer = layer.Below)
        {
            if (new Values(schema.Read(layer.Values, [])).Text(key) is not { } text)
            {
                yield break;
            }
            if (read(NameOf(key, layer), text) is { } address)
            {
                yield return (address, layer.OriginOf(key));
            }
        }
    }

    private IReadOnlyList<string> Tags(Values read, ValueRules rules)
    {
        var tags = _environment.Tags(read.List("globalTags"), read.Text("cluster"), rules);
        var characters = tags.Sum(t => t.Length);
        if (tags.Count > MostTags || characters > MostTagCharacters)
        {
            rules.Error(
                "globalTags",
                $"come, with those of the environment, to {tags.Count} of {characters} characters; at most {MostTags} of "
                    + $"{MostTagCharacters} characters are taken."
            );
        }
        return tags;
    }

    private static void WarnOf(
        PluginSettings whole,
        (Uri Address, SettingOrigin Origin)? intakeUrl,
        string? apiKey,
        bool isSandbox,
        ValueRules rules
    )
    {
        if (intakeUrl is { } place)
        {
            rules.GoesInClear("intakeUrl", place.Address);
        }
        if (apiKey is not null && !isSandbox && (intakeUrl is null || Sites.Owns(intakeUrl.Value.Address)))
        {
            rules.LooksLikeAnApiKey("apiKey", apiKey);
        }
        var saved =
            whole.Below?.Below?.Values["apiKey"] is JsonValue value && value.TryGetValue(out string? text)
                ? text.Trim()
                : "";
        var row = DatadogConfig.Said(SettingOrigin.Row, whole.RowWritten);
        if (apiKey is not null && apiKey != saved && whole.OriginOf("apiKey") is SettingOrigin.Row)
        {
            rules.Warn(
                "apiKey",
                $"The API key {(saved.Length > 0 ? "is another than the saved one: it " : "")}comes from "
                    + $"{row}, and what is collected goes to its account.",
                "Take apiKey out of the row, or set DD_API_KEY in the environment, which wins."
            );
        }
        // The environment lies over it, and does not make it unseen.
        foreach (var (key, variable, then) in BelongsInEnvironment)
        {
            if (whole.Below is { } given && given.OriginOf(key) is SettingOrigin.Row && IsGiven(given.Values[key]))
            {
                rules.Warn(
                    key,
                    $"{key} stands in {row}, where everyone who is signed in to StreamSpace can read and change it.",
                    $"Set {variable} in the environment, take {key} out of the row, and {then}."
                );
            }
        }
    }

    private SettingSource SourceOf(string key, SettingOrigin origin) =>
        new(origin, origin is SettingOrigin.Environment ? [_environment.NameOf(key)] : []);

    private static bool IsGiven(JsonNode? value) => value is not null && value.ToString().Trim().Length > 0;

    private string NameOf(string key, PluginSettings whole) =>
        whole.OriginOf(key) is SettingOrigin.Environment ? _environment.NameOf(key) : key;

    private sealed class Values(JsonObject values)
    {
        public bool Flag(string key) => values[key]!.GetValue<bool>();

        public double Number(string key) => values[key]!.GetValue<double>();

        public long Whole(string key) => values[key]!.GetValue<long>();

        public IReadOnlyList<string> List(string key) => [.. values[key]!.AsArray().Select(t => t!.GetValue<string>())];

        public string? Text(string key) => values[key]?.GetValue<string>().Trim() is { Length: > 0 } text ? text : null;
    }
}
