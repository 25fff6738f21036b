using System.Text.Json.Nodes;
using AgentlessDatadog;
using StreamSpace.Datadog.Collection;
using StreamSpace.Datadog.Mapping;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Api;

/// <summary>The plugin's status: config in force, ledger, queue, series, lanes, last errors. Times are ISO 8601.</summary>
internal static class StatusDocument
{
    public static JsonObject Unconfigured(IReadOnlyList<ConfigError> errors, PluginVerdict verdict) =>
        new()
        {
            ["verdict"] = Of(verdict),
            ["configured"] = false,
            ["errors"] = new JsonArray([
                .. errors.Select(e => (JsonNode)new JsonObject { ["key"] = e.Key, ["message"] = e.Message }),
            ]),
        };

    public static JsonObject Of(
        Collector collector,
        IPluginContext context,
        IReadOnlyList<CheckFinding> findings,
        PluginVerdict verdict
    )
    {
        var (config, pipeline) = (collector.Config, collector.Pipeline.Status);
        return new()
        {
            ["verdict"] = Of(verdict),
            ["configured"] = true,
            ["enabled"] = config.Enabled,
            ["site"] = config.Site,
            ["apiKey"] = config.ApiKey is null ? "missing" : "set",
            ["origins"] = new JsonObject(
                config
                    .Origins.Where(o => o.Value.Origin is not SettingOrigin.Default || o.Value.Variables.Count > 0)
                    .Select(o => KeyValuePair.Create(o.Key, (JsonNode?)o.Value.ToString()))
            ),
            ["tags"] = new JsonArray([.. config.GlobalTags.Select(tag => (JsonNode)tag)]),
            ["instance"] = Collector.InstanceTag,
            ["dataFolder"] = context.DataFolder,
            ["startedAt"] = collector.StartedAt,
            ["uptime"] = Spoken.Of(context.Clock.GetUtcNow() - collector.StartedAt),
            ["sessions"] = Of(collector.Gauges.Counts),
            ["lanes"] = new JsonArray([.. pipeline.Lanes.Select(l => (JsonNode)Of(l))]),
            ["queue"] = new JsonObject
            {
                ["requests"] = pipeline.Queue.Requests,
                ["bytes"] = pipeline.Queue.Bytes,
                ["oldest"] = pipeline.Queue.Oldest,
                ["elsewhere"] = new JsonArray([
                    .. pipeline.Elsewhere.Select(queue => new JsonObject
                    {
                        ["destination"] = queue.Destination,
                        ["requests"] = queue.Requests,
                        ["expires"] = queue.Expires,
                        ["lastExpires"] = queue.LastExpires,
                    }),
                ]),
            },
            ["clock"] = new JsonObject
            {
                ["aheadSeconds"] = pipeline.ClockSkew is { } skew ? Math.Round(skew.TotalSeconds) : null,
                ["error"] = pipeline.ClockError,
            },
            ["storeDamage"] = pipeline.StoreDamage,
            ["warnings"] = new JsonArray([
                .. findings
                    .Where(f => f.Verdict is not CheckVerdict.Good)
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
                    ["at"] = flush.At,
                    ["points"] = flush.Points,
                    ["requests"] = flush.Requests,
                    ["bytes"] = flush.Bytes,
                    ["seconds"] = Math.Round(flush.Took.TotalSeconds, 4),
                }
                : null,
        };
    }

    // Active are those that are meant to run: what streamspace.session.active adds up to.
    private static JsonObject Of(IReadOnlyDictionary<SessionState, int> counts)
    {
        var sessions = new JsonObject
        {
            ["open"] = counts.Values.Sum(),
            ["active"] = Count(SessionState.Starting) + Count(SessionState.Running),
        };
        foreach (
            var state in (SessionState[])
                [
                    SessionState.Requested,
                    SessionState.Starting,
                    SessionState.Running,
                    SessionState.Hibernated,
                    SessionState.Failed,
                    SessionState.Ending,
                ]
        )
        {
            sessions[Word(state)] = Count(state);
        }
        return sessions;

        int Count(SessionState state) => counts.GetValueOrDefault(state);
    }

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
            ["lastErrorAt"] = lane.LastErrorAt,
            ["nextTry"] = lane.NextTry,
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

    /// <summary>A value as a word of the API: in camelCase, as every other.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
