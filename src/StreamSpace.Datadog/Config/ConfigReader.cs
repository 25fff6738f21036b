using System.Text.Json.Nodes;
using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>Reads a config with the environment over it, and reports all that is wrong at once.</summary>
internal sealed class ConfigReader(ConfigSchema schema, IReadOnlyDictionary<string, string> environment, Uri? sandbox)
{
    /// <summary>The config to put in force, or null with at least one fault.</summary>
    public DatadogConfig? Read(JsonObject given, out IReadOnlyList<ConfigFault> faults)
    {
        var found = new List<ConfigFault>();
        var merged = (JsonObject)given.DeepClone();
        var fromEnvironment = EnvironmentConfig.Overlay(environment, merged, found);
        var values = schema.Read(merged, found);
        var read = new Values(values, found);

        var site = read.Text("site")!;
        var isHost = Uri.CheckHostName(site) == UriHostNameType.Dns && site.Contains('.') && !site.Contains('_');
        if (site != DatadogConfig.Sandbox && !isHost)
        {
            found.Add(new("site", "must be a Datadog site such as datadoghq.com or datadoghq.eu, or sandbox."));
        }
        var intakeUrl = read.Url("intakeUrl");
        if (intakeUrl?.UserInfo.Length > 0)
        {
            found.Add(new("intakeUrl", "must hold no user and no password: it is shown."));
        }
        if (site == DatadogConfig.Sandbox && intakeUrl is null && sandbox is null)
        {
            found.Add(
                new("site", "is sandbox, but this host runs none: set intakeUrl, a real site, or --sandbox-urls.")
            );
        }
        foreach (var tag in read.List("globalTags").Where(t => t.Length is 0 or > 200 || !char.IsLetter(t[0])))
        {
            var shown = tag.Length > 40 ? $"{tag[..40]}…" : tag;
            found.Add(new("globalTags", $"\"{shown}\" must begin with a letter and have at most 200 characters."));
        }
        var apiKey = Key(merged, "apiKey", required: site != DatadogConfig.Sandbox, found);
        var appKey = Key(merged, "appKey", required: false, found);

        faults = found;
        return found.Count > 0
            ? null
            : new DatadogConfig
            {
                Values = values,
                Enabled = read.Flag("enabled"),
                ApiKey = apiKey,
                AppKey = appKey,
                Site = site,
                EnableMetrics = read.Flag("enableMetrics"),
                GlobalTags = EnvironmentConfig.Tags(environment, read.List("globalTags"), read.Text("cluster")),
                MetricsInterval = TimeSpan.FromSeconds(read.Whole("metricsInterval")),
                TrackSessionMetrics = read.Flag("trackSessionMetrics"),
                TrackResourceMetrics = read.Flag("trackResourceMetrics"),
                TrackUserMetrics = read.Flag("trackUserMetrics"),
                IntakeUrl = intakeUrl,
                Proxy = read.Url("proxy"),
                Cluster = read.Text("cluster"),
                UserTag = Enum.Parse<UserTag>(read.Text("userTag")!, ignoreCase: true),
                SessionTagOnDuration = read.Flag("sessionTagOnDuration"),
                UseDistributions = read.Flag("useDistributions"),
                MaxSeries = (int)read.Whole("maxSeries"),
                QueueMaxBytes = read.Whole("queueMaxBytes"),
                OnUncertain = Enum.Parse<OnUncertain>(read.Text("onUncertain")!, ignoreCase: true),
                FixedByEnvironment = fromEnvironment,
            };
    }

    // An absent key is kept waiting for; one that is there and empty was meant to be filled in.
    private static string? Key(JsonObject merged, string name, bool required, List<ConfigFault> faults)
    {
        if (merged[name] is not JsonValue value || !value.TryGetValue(out string? text))
        {
            return null;
        }
        text = text.Trim();
        if (text.Length == 0)
        {
            if (required)
            {
                faults.Add(new(name, "is empty; give the key, or leave it out until you have one."));
            }
            return null;
        }
        if (text.Any(c => c is <= ' ' or > '~'))
        {
            faults.Add(new(name, "holds blanks or letters that no key has; copy it again from Datadog."));
            return null;
        }
        return text;
    }

    private sealed class Values(JsonObject values, List<ConfigFault> faults)
    {
        public bool Flag(string key) => values[key]!.GetValue<bool>();

        public long Whole(string key) => values[key]!.GetValue<long>();

        public IReadOnlyList<string> List(string key) => [.. values[key]!.AsArray().Select(t => t!.GetValue<string>())];

        public string? Text(string key) => values[key]?.GetValue<string>().Trim() is { Length: > 0 } text ? text : null;

        public Uri? Url(string key)
        {
            if (Text(key) is not { } text)
            {
                return null;
            }
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }
            faults.Add(new(key, "must be an absolute http or https URL."));
            return null;
        }
    }
}
