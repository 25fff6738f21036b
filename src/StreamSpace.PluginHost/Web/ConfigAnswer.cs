using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What a caller is told of a config besides its values: where each comes from, and what of a change has no effect.</summary>
internal static class ConfigAnswer
{
    private const string Origins = "origins";
    private const string Warnings = "warnings";

    /// <summary>The config in force, and under <c>origins</c> where each setting comes from, or its absence.</summary>
    public static JsonObject Of(PluginSlot plugin)
    {
        var answer = plugin.Configurator!.InForce;
        var origins = plugin.Configurator.Origins;
        if (origins.Count > 0)
        {
            answer[Origins] = new JsonObject(
                plugin
                    .Manifest!.ConfigSchema.Keys.Where(origins.ContainsKey)
                    .Select(key => KeyValuePair.Create(key, (JsonNode?)origins[key].ToString()))
            );
        }
        return answer;
    }

    /// <summary>Leaves out of a change what <see cref="Of"/> adds to a config, which may be given back as it was shown.</summary>
    public static void RemoveShown(JsonObject change)
    {
        change.Remove(Origins);
        change.Remove(Warnings);
    }

    /// <summary>
    /// Adds to an answer what of <paramref name="change"/> is not in force, with whoever holds it, and what the plugin has to
    /// say of these settings.
    /// </summary>
    public static JsonObject Warn(this JsonObject answer, PluginSlot plugin, JsonObject change)
    {
        var warnings = Held(plugin, change)
            .Concat(
                plugin
                    .Ask(p => p.Findings, nobody: [], broken: _ => [])
                    .Where(f => change.ContainsKey(f.What))
                    .Select(f => $"{f.Found} {f.Fix}".TrimEnd())
            )
            .Distinct()
            .ToArray();
        return answer.Warn(warnings);
    }

    /// <summary>Adds warnings to an answer; none leave it as it is.</summary>
    public static JsonObject Warn(this JsonObject answer, IReadOnlyCollection<string> warnings)
    {
        if (warnings.Count > 0)
        {
            answer[Warnings] = new JsonArray([.. warnings.Select(w => (JsonNode)w)]);
        }
        return answer;
    }

    // What a value comes to is the schema's to say: a text may be a number, and without a value its default holds.
    private static IEnumerable<string> Held(PluginSlot plugin, JsonObject change)
    {
        var schema = plugin.Manifest!.ConfigSchema;
        var (inForce, origins) = (plugin.Configurator!.InForce, plugin.Configurator.Origins);
        var wanted = schema.Read(PluginConfig.Over([], change), []);
        foreach (var key in schema.Keys.Where(key => change.ContainsKey(key) && origins.ContainsKey(key)))
        {
            if (
                Holder(plugin, key, origins[key]) is { } holder
                && (schema.IsSecret(key) || !JsonNode.DeepEquals(wanted[key], inForce[key]))
            )
            {
                yield return $"{key}: what you asked for is kept and not applied, for {holder}";
            }
        }
    }

    private static string? Holder(PluginSlot plugin, string key, SettingSource source) =>
        source.Origin switch
        {
            SettingOrigin.Environment =>
                $"{string.Join(", ", source.Variables)} in the environment holds it. Change it there.",
            SettingOrigin.Row => "StreamSpace's row holds it. Change it there: on StreamSpace's page, Admin → Plugins.",
            SettingOrigin.Uninstalled =>
                $"StreamSpace has uninstalled the plugin. POST /api/plugins/{plugin.Name}/enable switches it on here.",
            _ when key is "enabled" && !plugin.Configurator!.Config.Enabled =>
                $"it is switched off here. POST /api/plugins/{plugin.Name}/enable switches it on.",
            _ => null,
        };
}
