using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>Status documents: the plugin's own words, and over them what the host knows.</summary>
internal static class PluginStatus
{
    /// <summary>The whole document of one plugin.</summary>
    public static JsonObject Of(HostedPlugin plugin, IReadOnlyList<SourceStatus> sources)
    {
        var status = plugin.Status;
        foreach (var (key, value) in Summary(plugin))
        {
            status[key] = value?.DeepClone();
        }
        status["sources"] = Of(sources);
        return status;
    }

    /// <summary>What a list of plugins shows.</summary>
    public static JsonObject Summary(HostedPlugin plugin) =>
        new()
        {
            ["name"] = plugin.Name,
            ["displayName"] = plugin.Manifest?.DisplayName ?? plugin.Name,
            ["version"] = plugin.Manifest?.Version,
            ["route"] = plugin.Manifest?.Route,
            ["state"] = Word(plugin.State),
            ["detail"] = plugin.Detail,
            ["notReady"] = plugin.NotReady,
            ["retry"] = plugin.Retry,
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
            ["faults"] = new JsonArray([
                .. plugin.Faults.Select(f => new JsonObject { ["key"] = f.Key, ["message"] = f.Message }),
            ]),
            ["missing"] = plugin.Missing,
            ["log"] = plugin.LogFile,
            ["streamspaceRow"] = plugin.RowDetail,
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

    private static string Word<T>(T state)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());
}
