using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.StreamSpaceRows;

/// <summary>What an operator should know of a plugin's row. That it cannot be read, the check of the database tells.</summary>
internal static class PluginRowCheck
{
    /// <summary>What these findings are called.</summary>
    public const string Page = "StreamSpace's page Admin → Plugins";

    /// <summary>How the row stands, and what in it is for nobody's eyes.</summary>
    /// <param name="reading">Of the row.</param>
    /// <param name="schema">Tells which keys are secrets.</param>
    /// <param name="isUninstalled">True when there was one that counted.</param>
    public static IEnumerable<CheckFinding> Findings(PluginRowReading reading, ConfigSchema schema, bool isUninstalled)
    {
        if (reading.Row is not { } row)
        {
            if (reading.State is PluginRowState.Absent && isUninstalled)
            {
                yield return new(
                    Page,
                    CheckVerdict.Warning,
                    "Has uninstalled the plugin: nothing is sent.",
                    "Run the sub-command register, or enable it here."
                );
            }
            else if (reading.State is PluginRowState.Absent)
            {
                yield return new(
                    Page,
                    CheckVerdict.Warning,
                    "Has no row for the plugin: the page does not configure it.",
                    "Run the sub-command register."
                );
            }
            yield break;
        }
        yield return row.Enabled
            ? new(Page, CheckVerdict.Good, "Has the plugin, enabled.")
            : new(Page, CheckVerdict.Warning, "Has the plugin, disabled: nothing is sent.", "Enable it there.");

        if (row.Config is null)
        {
            yield return new(Page, CheckVerdict.Warning, reading.Detail, "Write a smaller config.");
        }
        var secrets = row.Config is { } config ? Secrets(config, schema) : [];
        if (secrets.Count > 0)
        {
            yield return new(
                Page,
                CheckVerdict.Warning,
                $"Holds {string.Join(" and ", secrets)} in clear text, which StreamSpace shows to every user who is signed in.",
                $"Take {(secrets.Count == 1 ? "it" : "them")} out there and give it in the environment (DD_API_KEY, DD_APP_KEY); then make a new key, for the old one was seen."
            );
        }
    }

    private static List<string> Secrets(string config, ConfigSchema schema)
    {
        try
        {
            return JsonNode.Parse(config) is JsonObject values
                ?
                [
                    .. values
                        .Where(v => schema.IsSecret(v.Key) && v.Value?.ToString() is { Length: > 0 })
                        .Select(v => v.Key),
                ]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
