using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>The Datadog variables of the environment, under the names that Datadog's own Agent uses. They win.</summary>
internal sealed class EnvironmentConfig(
    ConfigSchema schema,
    IReadOnlyDictionary<string, string> environment,
    KeyFiles files
)
{
    private static readonly (string Variable, string Key)[] Direct =
    [
        ("DD_API_KEY", "apiKey"),
        ("DD_APP_KEY", "appKey"),
        ("DD_SITE", "site"),
        ("DD_DD_URL", "intakeUrl"),
        // OpenTelemetry's own name for it: the Agent has none for OTLP.
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "tracesEndpoint"),
    ];

    private static readonly (string Variable, string Tag)[] Tagged =
    [
        ("DD_ENV", "env"),
        ("DD_SERVICE", "service"),
        ("DD_VERSION", "version"),
    ];

    /// <summary>The layer that it lays over a config; a key whose file has none yet is cleared. Errors bear the variables' names.</summary>
    public JsonObject Layer(List<ConfigError> errors)
    {
        var layer = new JsonObject();
        foreach (var (variable, key) in Direct)
        {
            if (environment.GetValueOrDefault(variable) is { } value)
            {
                layer[key] = value;
                var found = new List<ConfigError>();
                schema.Read(new JsonObject { [key] = value }, found);
                errors.AddRange(found.Select(f => f with { Key = variable }));
            }
        }
        files.Look();
        foreach (var (key, file) in (ReadOnlySpan<(string, KeyFile?)>)[("apiKey", files.Api), ("appKey", files.App)])
        {
            if (file is not null)
            {
                layer[key] = file.Key;
            }
        }
        return layer;
    }

    /// <summary>The name under which an operator knows the value of <paramref name="key"/> in the layer.</summary>
    public string NameOf(string key) =>
        key switch
        {
            "apiKey" when files.Api is { } file => file.Variable,
            "appKey" when files.App is { } file => file.Variable,
            _ => Direct.Single(d => d.Key == key).Variable,
        };

    /// <summary>
    /// The machine that traces and logs come from, under the name that the Agent has for it: in a cluster the node, which the
    /// deployment tells.
    /// </summary>
    public string? Host => environment.GetValueOrDefault("DD_HOSTNAME");

    /// <summary>The variables that add to the tags.</summary>
    public IReadOnlyList<string> TagVariables =>
        [.. Tagged.Select(t => t.Variable).Append("DD_TAGS").Where(environment.ContainsKey)];

    /// <summary>Says what is odd about the variables as they stand.</summary>
    public void Warn(ValueRules rules)
    {
        var names = Direct.Concat(Tagged).Select(v => v.Variable).Concat(EnvironmentProxy.Ours);
        string[] others = ["DD_TAGS", "DD_HOSTNAME", "DD_API_KEY_FILE", "DD_APP_KEY_FILE"];
        foreach (var warning in EnvironmentVariables.InQuotes(environment, names.Concat(others)))
        {
            rules.Warn(warning.What, warning.Found, warning.Fix);
        }
    }

    /// <summary>The tags on everything: the configured ones, those of the environment in their place or behind them, and the cluster.</summary>
    public IReadOnlyList<string> Tags(IReadOnlyList<string> configured, string? cluster, ValueRules rules)
    {
        var tags = new List<string>(configured);
        foreach (var (variable, key) in Tagged)
        {
            Replace(variable, key, environment.GetValueOrDefault(variable));
        }
        var more = environment
            .GetValueOrDefault("DD_TAGS", "")
            .Split((char[])[',', ' ', '\t', '\n', '\r', '\v', '\f'], StringSplitOptions.RemoveEmptyEntries);
        rules.Tags("DD_TAGS", more);
        tags.AddRange(more);
        Replace("cluster", "cluster", cluster);
        return tags;

        void Replace(string name, string key, string? value)
        {
            if (value is not null)
            {
                tags.RemoveAll(t => t.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase));
                tags.Add($"{key}:{value}");
                rules.Tags(name, tags[^1..]);
            }
        }
    }
}
