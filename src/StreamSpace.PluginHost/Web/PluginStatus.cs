using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>Status documents: the plugin's own words, and over them what the host knows.</summary>
internal static class PluginStatus
{
    /// <summary>The whole document of one plugin.</summary>
    public static JsonObject Of(PluginSlot plugin, PluginVerdict verdict)
    {
        var status = plugin.Status;
        // First, where the plugin has its own, which knows nothing of the host.
        status["verdict"] = Of(verdict);
        foreach (var (key, value) in Summary(plugin))
        {
            status[key] = value?.DeepClone();
        }
        status["sources"] = Of(plugin.Sources);
        return status;
    }

    /// <summary>What a list of plugins shows.</summary>
    public static JsonObject Summary(PluginSlot plugin) =>
        new()
        {
            ["name"] = plugin.Name,
            ["displayName"] = plugin.Manifest?.DisplayName ?? plugin.Name,
            ["version"] = plugin.Manifest?.Version,
            ["route"] = plugin.Manifest?.Route,
            ["state"] = Word(plugin.State.Phase),
            ["detail"] = plugin.State.Detail,
            ["readinessError"] = plugin.ReadinessError,
            ["retry"] = Retry(plugin),
            ["feed"] = plugin.Subscription?.Health is { } health
                ? new JsonObject
                {
                    ["behind"] = health.Behind,
                    ["missed"] = health.Missed,
                    ["failingSince"] = health.FailingSince,
                    ["error"] = health.Error,
                }
                : null,
            ["restart"] = plugin.RestartWouldFree,
            ["errors"] = new JsonArray([
                .. plugin.State.Errors.Select(e => new JsonObject { ["key"] = e.Key, ["message"] = e.Message }),
            ]),
            ["missing"] = plugin.Databases?.Missing,
            ["log"] = plugin.Log?.Path,
            ["streamspaceRow"] = plugin.Configurator?.RowDetail,
        };

    public static JsonObject Of(PluginVerdict verdict) =>
        new()
        {
            ["state"] = Word(verdict.State),
            ["sentence"] = verdict.Sentence,
            ["fix"] = verdict.Fix,
        };

    public static JsonArray Of(IReadOnlyList<SourceStatus> sources) =>
        new([
            .. sources.Select(s => new JsonObject
            {
                ["name"] = s.Name,
                ["state"] = Word(s.State),
                ["detail"] = s.Detail,
                ["since"] = s.Since,
                ["received"] = s.Received,
                ["skipped"] = new JsonObject(s.Skipped.Select(k => KeyValuePair.Create(k.Key, (JsonNode?)k.Value))),
                ["downtimeSeconds"] = s.Downtime.TotalSeconds,
            }),
        ]);

    // Since when it does not come back, why, and when it is tried again; null while nothing is to be tried.
    private static JsonObject? Retry(PluginSlot plugin) =>
        plugin is { State.Phase: PluginPhase.Isolated or PluginPhase.Failed, BackOff: { Next: { } next } backOff }
            ? new JsonObject
            {
                ["since"] = backOff.Since,
                ["reason"] = backOff.Reason,
                ["attempts"] = backOff.Attempts,
                ["nextTry"] = next,
            }
            : null;

    /// <summary>The word of a state, as documents have it.</summary>
    public static string Word<T>(T state)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());
}
