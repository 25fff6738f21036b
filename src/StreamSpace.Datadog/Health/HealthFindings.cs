using System.Globalization;
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
                .. LaneFindings.Of(
                    pipeline.Lanes,
                    hasKey: config.ApiKey is not null || config.Site == DatadogConfig.Sandbox,
                    config.TracesEndpoint
                ),
                .. pipeline.Warnings.Select(Found),
                .. pipeline.Elsewhere.Select(Waiting),
                // What is merely odd comes after what happens now.
                .. config.Warnings,
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
    public static string AllIsWell(DatadogConfig config)
    {
        var isSandbox = config is { IntakeUrl: null, Site: DatadogConfig.Sandbox };
        var where = isSandbox ? "the sandbox of this host" : config.IntakeUrl?.IdnHost ?? config.Site;
        var without = config.EnableMetrics ? "" : ", but for metrics, which are switched off (enableMetrics)";
        return $"It sends to {where}{without}{(isSandbox ? "; nothing reaches Datadog" : "")}.";
    }

    private static CheckFinding Found(PipelineWarning warning) =>
        new(
            warning.About,
            warning.Kind is WarningKind.Store or WarningKind.Stuck ? CheckVerdict.Error : CheckVerdict.Warning,
            warning.Sentence,
            warning.Kind switch
            {
                WarningKind.Store =>
                    "Make room on the disk of the data folder, or mend what the sentence names: it goes on by itself.",
                WarningKind.StoreFile =>
                    "Leave the data folder to this process; the warning ends with the next restart.",
                WarningKind.Clock => "Set this machine's clock, and let it be kept right (NTP).",
                WarningKind.Room =>
                    "Mend what keeps them from being sent, which the status says, or raise queueMaxBytes.",
                WarningKind.Age => "Mend what keeps them from being sent, which the status says, before then.",
                WarningKind.Stage => "There is nothing to do unless it comes again: then start the service again.",
                _ => "Start the service again.",
            }
        );

    // What nothing says of, an operator would look for at the wrong place.
    private static CheckFinding Waiting(QueueElsewhere queue)
    {
        var (place, setting) = queue.Destination switch
        {
            DatadogConfig.Sandbox => ("the sandbox of this host", "Set site to sandbox"),
            "datadog" => ("Datadog", "Set site to the one of your account"),
            _ => ("another sandbox", "Set site to sandbox and intakeUrl to that one"),
        };
        return new(
            $"queue for {queue.Destination}",
            CheckVerdict.Warning,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{queue.Requests} requests wait for {place}, which is not configured any more: they go nowhere else, and are given up "
                    + $"between {queue.Expires.UtcDateTime:yyyy-MM-dd HH:mm} and {queue.LastExpires.UtcDateTime:yyyy-MM-dd HH:mm} UTC."
            ),
            $"{setting} to have them sent, or let them be: nothing else waits for them."
        );
    }
}
