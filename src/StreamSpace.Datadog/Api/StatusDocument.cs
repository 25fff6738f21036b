using System.Text.Json.Nodes;
using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary>The plugin's status: config in force, ledger, queue, series, lanes, last errors. Times are Unix seconds.</summary>
internal static class StatusDocument
{
    public static JsonObject Unconfigured(IReadOnlyList<ConfigFault> faults, PluginVerdict verdict) =>
        new()
        {
            ["verdict"] = Of(verdict),
            ["configured"] = false,
            ["faults"] = new JsonArray([
                .. faults.Select(f => (JsonNode)new JsonObject { ["key"] = f.Key, ["message"] = f.Message }),
            ]),
        };

    public static JsonObject Of(
        DatadogConfig config,
        PipelineStatus pipeline,
        int openSessions,
        IReadOnlyList<CheckFinding> findings,
        PluginVerdict verdict
    ) =>
        new()
        {
            ["verdict"] = Of(verdict),
            ["configured"] = true,
            ["enabled"] = config.Enabled,
            ["site"] = config.Site,
            ["apiKey"] = config.ApiKey is null ? "missing" : "set",
            ["fixedByEnvironment"] = new JsonArray([.. config.FixedByEnvironment.Select(k => (JsonNode)k)]),
            ["openSessions"] = openSessions,
            ["lanes"] = new JsonArray([.. pipeline.Lanes.Select(l => (JsonNode)Of(l))]),
            ["queue"] = new JsonObject
            {
                ["requests"] = pipeline.Queue.Requests,
                ["bytes"] = pipeline.Queue.Bytes,
                ["oldest"] = pipeline.Queue.Oldest?.ToUnixTimeSeconds(),
            },
            ["clock"] = new JsonObject
            {
                ["aheadSeconds"] = pipeline.ClockSkew is { } skew ? Math.Round(skew.TotalSeconds) : null,
                ["error"] = pipeline.ClockError,
            },
            ["storeSetAside"] = pipeline.StoreSetAside,
            ["warnings"] = new JsonArray([
                .. findings
                    .Where(f => f.Verdict is CheckVerdict.Warning)
                    .Select(f => (JsonNode)$"{f.Found} {f.Fix}".TrimEnd()),
            ]),
            ["series"] = new JsonObject
            {
                ["total"] = pipeline.SeriesTotal,
                ["byMetric"] = new JsonObject(
                    pipeline
                        .Series.OrderByDescending(s => s.Value)
                        .Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))
                ),
            },
            ["lastFlush"] = pipeline.LastFlush is { } flush
                ? new JsonObject
                {
                    ["at"] = flush.At.ToUnixTimeSeconds(),
                    ["points"] = flush.Points,
                    ["requests"] = flush.Requests,
                    ["bytes"] = flush.Bytes,
                    ["seconds"] = Math.Round(flush.Took.TotalSeconds, 4),
                }
                : null,
        };

    private static JsonObject Of(PluginVerdict verdict) =>
        new()
        {
            ["state"] = Word(verdict.State),
            ["sentence"] = verdict.Sentence,
            ["fix"] = verdict.Fix,
        };

    // Null while it is as right as it needs to be.
    private static JsonObject Of(LaneStatus lane) =>
        new()
        {
            ["lane"] = lane.Lane,
            ["state"] = Word(lane.State),
            ["verdict"] = lane.Verdict is { } verdict ? Word(verdict) : null,
            ["refusal"] = lane.ParkReason is { } refusal ? Word(refusal) : null,
            ["lastStatus"] = lane.LastStatus,
            ["lastError"] = lane.LastError,
            ["nextTry"] = lane.NextTry?.ToUnixTimeSeconds(),
            ["ledger"] = Of(lane.Ledger),
        };

    private static JsonObject Of(LaneLedger ledger) =>
        new()
        {
            ["accepted"] = ledger.Accepted,
            ["delivered"] = ledger.Delivered,
            ["queued"] = ledger.Queued,
            ["overflowed"] = ledger.Overflowed,
            ["expired"] = ledger.Expired,
            ["rejected"] = ledger.Rejected,
            ["uncertain"] = ledger.Uncertain,
            ["reasons"] = new JsonObject(ledger.Reasons.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)r.Value))),
        };

    // camelCase, as every other word of the API.
    private static string Word<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
