using System.CommandLine;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>config</c>: each setting in force in the running host, and where it comes from.</summary>
internal static class ConfigCommand
{
    // Of a key that is never shown, or not set.
    private const string NotShown = "–";

    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var json = CommandContext.Json("Print value and origin of each setting as JSON, by plugin.");
        var config = new Command("config", "Shows each setting in force in the running host, and where it comes from.")
        {
            json,
        };
        help.Explain(
            config,
            """
            An origin is default, saved (a call of the API), row or uninstalled (StreamSpace's own page), or the variables of
            the environment; each wins over those before it. Secrets are never shown.

            Examples:
              config
              config --json | jq '."streamspace-datadog".site.origin'

            Exit codes:
              0  it is on standard output
              1  no host runs on the data folder, or it does not answer
            """
        );
        config.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        using var host = HostClient.Of(settings(parsed).DataFolder, around.Clock);
                        var plugins = await ReadAsync(host, cancellationToken);
                        await around.Output.WriteLineAsync(
                            parsed.GetValue(json) ? CommandContext.Written(plugins) : Table(plugins, around.Terminal)
                        );
                        return 0;
                    }
                )
        );
        return config;
    }

    /// <summary>By plugin, by setting: its value and its origin.</summary>
    public static async Task<JsonObject> ReadAsync(HostClient host, CancellationToken cancellationToken)
    {
        var document = await host.GetAsync("api/status", cancellationToken);
        var plugins = new JsonObject();
        foreach (var plugin in document["plugins"]!.AsArray())
        {
            if ((string?)plugin?["route"] is { } route)
            {
                plugins[(string)plugin["name"]!] = Settings(
                    await host.GetAsync($"api/plugins/{route}/config", cancellationToken)
                );
            }
        }
        return plugins;
    }

    // Settings that are never shown have an origin all the same.
    private static JsonObject Settings(JsonObject config)
    {
        var origins = config["origins"]?.DeepClone().AsObject() ?? [];
        config.Remove("origins");
        var settings = new JsonObject();
        foreach (var key in origins.Select(o => o.Key).Union(config.Select(c => c.Key), StringComparer.Ordinal))
        {
            settings[key] = new JsonObject
            {
                ["value"] = config[key]?.DeepClone(),
                ["origin"] = origins[key]?.DeepClone() ?? "default",
            };
        }
        return settings;
    }

    private static string Table(JsonObject plugins, Terminal terminal)
    {
        var rows = plugins
            .SelectMany(plugin =>
                plugin
                    .Value!.AsObject()
                    .Select(s =>
                        (Plugin: plugin.Key, s.Key, Value: Shown(s.Value!["value"]), Origin: $"{s.Value["origin"]}")
                    )
            )
            .ToList();
        // The value stands last, for it may be long.
        var (keys, origins) = (
            rows.Select(r => r.Key.Length).Append(0).Max(),
            rows.Select(r => r.Origin.Length).Append(0).Max()
        );
        return string.Join(
            Environment.NewLine,
            rows.GroupBy(r => r.Plugin)
                .SelectMany(plugin =>
                    (string[])
                        [
                            plugin.Key,
                            .. plugin.Select(r =>
                                $"  {r.Key.PadRight(keys)}  {r.Origin.PadRight(origins)}  {terminal.Wrap(r.Value, keys + origins + 6)}".TrimEnd()
                            ),
                        ]
                )
        );
    }

    private static string Shown(JsonNode? value) =>
        value switch
        {
            null => NotShown,
            JsonArray list => string.Join(", ", list),
            _ => value.ToString(),
        };
}
