using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>The Datadog variables of the environment, under the names that Datadog's own Agent uses. They win.</summary>
internal static class EnvironmentConfig
{
    private static readonly (string Variable, string Key)[] Direct =
    [
        ("DD_API_KEY", "apiKey"),
        ("DD_APP_KEY", "appKey"),
        ("DD_SITE", "site"),
        ("DD_DD_URL", "intakeUrl"),
    ];

    /// <summary>Lays the environment over <paramref name="config"/> and returns the keys that it fixes.</summary>
    public static IReadOnlyList<string> Overlay(
        IReadOnlyDictionary<string, string> environment,
        JsonObject config,
        List<ConfigFault> faults
    )
    {
        var fixedKeys = new List<string>();
        foreach (var (variable, key) in Direct)
        {
            if (environment.GetValueOrDefault(variable) is { } value)
            {
                config[key] = value;
                fixedKeys.Add(key);
            }
            else if (
                environment.GetValueOrDefault($"{variable}_FILE") is { } file
                && variable.EndsWith("KEY", StringComparison.Ordinal)
            )
            {
                fixedKeys.Add(key);
                config[key] = null;
                try
                {
                    config[key] = File.ReadAllText(file).Trim();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    faults.Add(new($"{variable}_FILE", $"cannot be read: {Reason(e)}."));
                }
            }
        }
        if (config["proxy"] is null && environment.GetValueOrDefault("HTTPS_PROXY") is { Length: > 0 } proxy)
        {
            config["proxy"] = proxy;
        }
        return fixedKeys;
    }

    // Whoever may ask for the config need not know where on this machine the file lies.
    private static string Reason(Exception e) =>
        e switch
        {
            UnauthorizedAccessException => "access is denied",
            FileNotFoundException or DirectoryNotFoundException => "there is no such file",
            _ => "the disk fails",
        };

    /// <summary>The tags on everything: the configured ones, those of the environment in their place or behind them, and the cluster.</summary>
    public static IReadOnlyList<string> Tags(
        IReadOnlyDictionary<string, string> environment,
        IReadOnlyList<string> configured,
        string? cluster
    )
    {
        var tags = new List<string>(configured);
        Replace("env", environment.GetValueOrDefault("DD_ENV"));
        Replace("service", environment.GetValueOrDefault("DD_SERVICE"));
        Replace("version", environment.GetValueOrDefault("DD_VERSION"));
        // The Agent splits DD_TAGS by commas or by blanks.
        tags.AddRange(
            (environment.GetValueOrDefault("DD_TAGS") ?? "").Split(
                [',', ' '],
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        );
        Replace("cluster", cluster);
        return tags;

        void Replace(string key, string? value)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                tags.RemoveAll(t => t.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase));
                tags.Add($"{key}:{value.Trim()}");
            }
        }
    }
}
