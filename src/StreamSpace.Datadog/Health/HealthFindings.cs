using AgentlessDatadog;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Health;

/// <summary>The plugin's health: the one place that says what an operator should know now.</summary>
internal static class HealthFindings
{
    /// <summary>What is not as it should be, the worst first.</summary>
    public static IReadOnlyList<CheckFinding> Of(DatadogConfig config, TelemetryStatus pipeline, KeyFiles files) =>
        [
            .. PluginVerdict.WorstFirst([
                .. Switch(config),
                .. Keys(config, files),
                .. config.Warnings,
                .. pipeline.Lanes.Where(l => l.State is LaneState.Parked).Select(Parked),
                .. pipeline.Lanes.Where(l => l is { State: LaneState.Open, Verdict: Verdict.Bad }).Select(Rejected),
                .. pipeline.Warnings.Select(warning => new CheckFinding("pipeline", CheckVerdict.Warning, warning)),
            ]),
        ];

    /// <summary>What is not as it should be while no config is in force.</summary>
    public static IReadOnlyList<CheckFinding> Unconfigured(IReadOnlyList<ConfigError> errors) =>
        [.. errors.Select(e => new CheckFinding("config", CheckVerdict.Error, e.ToString(), "Correct this key."))];

    /// <summary>Whether it is switched off, and by whom; nothing while it is on.</summary>
    public static IEnumerable<CheckFinding> Switch(DatadogConfig config) =>
        config.Enabled
            ? []
            :
            [
                new(
                    "enabled",
                    CheckVerdict.Warning,
                    $"It is switched off by {DatadogConfig.Said(config.Origins["enabled"].Origin, config.RowWritten)}: nothing is collected.",
                    config.Origins["enabled"].Origin switch
                    {
                        SettingOrigin.Row => "Switch it on there: on StreamSpace's page, Admin → Plugins.",
                        SettingOrigin.Uninstalled =>
                            "Enable it here (POST /api/plugins/datadog/enable), or run the sub-command register.",
                        _ => "Set enabled to true.",
                    }
                ),
            ];

    /// <summary>Keys that are missing, and files that no longer hold theirs.</summary>
    public static IEnumerable<CheckFinding> Keys(DatadogConfig config, KeyFiles files)
    {
        if (config.ApiKey is null && config.Site != DatadogConfig.Sandbox && files.Api?.Error is null)
        {
            yield return new(
                "key",
                CheckVerdict.Error,
                "There is no API key: everything is kept and waits.",
                "Set DD_API_KEY, or apiKey in the config."
            );
        }
        foreach (var file in new[] { files.Api, files.App })
        {
            if (file?.Error is { } error)
            {
                var waits = file.Key is null && file == files.Api;
                yield return new(
                    file.Variable,
                    waits ? CheckVerdict.Error : CheckVerdict.Warning,
                    $"{file.Variable}: {error} "
                        + (
                            file.Key is not null ? "The last key that was read from it stays in use."
                            : waits ? "Everything is kept and waits."
                            : "There is no application key."
                        ),
                    "Write the key into that file: it is taken within ten seconds."
                );
            }
        }
    }

    /// <summary>What it does while all is well, in a sentence.</summary>
    public static string AllIsWell(DatadogConfig config) =>
        config.IntakeUrl is { } url ? $"It sends to {url.IdnHost}."
        : config.Site == DatadogConfig.Sandbox ? "It sends to the sandbox of this host; nothing reaches Datadog."
        : $"It sends to {config.Site}.";

    /// <summary>What a canary has shown of its lane.</summary>
    public static CheckFinding Of(LaneTest test) =>
        test switch
        {
            { Verdict: Verdict.Delivered, Message: null } => new(
                $"lane {test.Lane}",
                CheckVerdict.Good,
                $"A canary was taken ({test.Status}, {test.Took.TotalMilliseconds:0} ms)."
            ),
            { Verdict: Verdict.Delivered or Verdict.Bad } => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary was rejected: {test.Message}.",
                "Compare intakeUrl and site with Datadog's own; if they are right, report this with its words."
            ),
            { ParkReason: { } reason } => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary was refused: {test.Message}.",
                FixOf(reason)
            ),
            { Status: not null } => new(
                $"lane {test.Lane}",
                CheckVerdict.Warning,
                $"A canary was put off: {test.Message}.",
                "Try again in some minutes: while this lasts, everything is kept and waits."
            ),
            _ => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary got no answer: {test.Message}.",
                "Look at the name servers of this machine, and open the way to https on port 443, or set proxy."
            ),
        };

    private static CheckFinding Parked(LaneStatus lane) =>
        new(
            $"lane {lane.Lane}",
            CheckVerdict.Error,
            $"The {lane.Lane} are kept and wait: {lane.LastError ?? "they are refused"}.",
            FixOf(lane.ParkReason)
        );

    // Of the last that was sent: it is over with the next that is taken.
    private static CheckFinding Rejected(LaneStatus lane) =>
        new(
            $"lane {lane.Lane}",
            CheckVerdict.Warning,
            $"Datadog rejected some {lane.Unit} for good: {lane.LastError}.",
            "Look for what its words name in what was sent."
        );

    private static string FixOf(ParkReason? reason) =>
        reason switch
        {
            ParkReason.KeyMissing => "Set DD_API_KEY, or apiKey in the config.",
            ParkReason.OtherSite => "Set site (or DD_SITE) to that site.",
            ParkReason.ProductRefused => "Allow this product to the key, or switch it off in the config.",
            ParkReason.NotDatadog => "Look at proxy and intakeUrl.",
            ParkReason.NotOffered =>
                "Set tracesEndpoint to an Agent or collector of your own, or enableTraces to false.",
            _ => "Check that site is the one of your account, then the key.",
        };
}
