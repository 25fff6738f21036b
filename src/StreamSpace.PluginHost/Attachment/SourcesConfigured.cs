using StreamSpace.Platform;

namespace StreamSpace.PluginHost;

/// <summary>The sources of platform events that the environment names.</summary>
internal static class SourcesConfigured
{
    /// <summary>What an operator can do when there is none.</summary>
    public const string HowToSetOne = "Set NATS_URL (and NATS_USER, NATS_PASSWORD) to attach to a StreamSpace.";

    public static IReadOnlyList<ISource> From(
        IReadOnlyDictionary<string, string> environment,
        TimeProvider clock,
        Func<double> chance,
        ILogger logger
    )
    {
        var url = environment.GetValueOrDefault("NATS_URL");
        if (string.IsNullOrWhiteSpace(url))
        {
            return [];
        }
        var options = new NatsSourceOptions(
            url,
            environment.GetValueOrDefault("NATS_USER"),
            environment.GetValueOrDefault("NATS_PASSWORD")
        );
        return [new NatsSource(options, clock, chance, logger)];
    }
}
