using AgentlessDatadog;
using StreamSpace.Datadog.Health;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>What an operator should know of a valid config: whether the site takes the key and a canary on each lane, and what it lacks.</summary>
internal static class ConfigCheck
{
    public static async Task<IReadOnlyList<CheckFinding>> OfAsync(
        DatadogConfig config,
        TelemetryOptions intake,
        KeyFiles files,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var isLocal = config.Site == DatadogConfig.Sandbox;
        var key = isLocal ? null : await KeyVerdict.AskAsync(intake, clock, cancellationToken);
        // Of a key that is not taken every lane would say the same.
        var lanes =
            config.Enabled && key is { State: KeyState.Valid }
                ? await LaneTest.RunAsync(intake, clock, cancellationToken)
                : [];
        return
        [
            new("config", CheckVerdict.Good, $"Valid; a flush every {config.MetricsInterval.TotalSeconds} s."),
            .. config.Enabled
                ? [new CheckFinding("enabled", CheckVerdict.Good, "It sends.")]
                : HealthFindings.Switch(config),
            .. config.Warnings,
            // Of a key that is missing the site's own row tells.
            .. HealthFindings.Keys(config, files).Where(f => f.What != "key"),
            key is null
                ? new(
                    "site",
                    CheckVerdict.Warning,
                    "The site is the sandbox: nothing reaches Datadog.",
                    "Set site (or DD_SITE) and apiKey (or DD_API_KEY)."
                )
                : Key(config, key),
            .. lanes.Select(lane => LaneFindings.Of(lane, config.TracesEndpoint)),
            config.Cluster is { } cluster
                ? new("cluster", CheckVerdict.Good, $"cluster:{cluster} is on everything.")
                : new(
                    "cluster",
                    CheckVerdict.Warning,
                    "cluster is not set: the series of a second installation would be taken for these.",
                    "Set cluster to a name of this installation."
                ),
        ];
    }

    private static CheckFinding Key(DatadogConfig config, KeyVerdict verdict) =>
        verdict.State switch
        {
            KeyState.Valid => new("key", CheckVerdict.Good, $"{config.Site} takes the API key."),
            KeyState.Missing => new(
                "key",
                CheckVerdict.Error,
                "There is no API key: everything is kept and waits.",
                "Set DD_API_KEY, or apiKey in the config."
            ),
            KeyState.Refused => new(
                "key",
                CheckVerdict.Error,
                $"{config.Site} does not know the API key: {verdict.Message}.",
                "Check that site is the one of your account, then the key."
            ),
            KeyState.NotDatadog => new(
                "key",
                CheckVerdict.Error,
                $"What answers for {config.Site} is not Datadog: {verdict.Message}.",
                "Look at proxy and intakeUrl."
            ),
            _ => new(
                "key",
                CheckVerdict.Error,
                $"{config.Site} could not be asked: {verdict.Message}.",
                "Look at the name servers of this machine, and open the way to https on port 443, or set proxy."
            ),
        };
}
