using System.Globalization;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>How a plugin stands, in sentences for those who ask: probes, callers, operators.</summary>
internal static class PluginHealth
{
    /// <summary>In how long to ask again for what is only being loaded.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    // After these nobody need believe any more that it comes back by itself. Where this very process never saw it run, the
    // last restart has not helped, and the next one has time.
    private static readonly TimeSpan ReturnTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstReturnTimeout = TimeSpan.FromMinutes(30);

    extension(PluginSlot plugin)
    {
        /// <summary>Null when all is well, else one sentence that says what is not.</summary>
        public string? ReadinessError =>
            plugin.State.Phase switch
            {
                PluginPhase.Running when plugin.Subscription?.Health.Error is { } error =>
                    $"{plugin.Name} cannot take what happens on the platform, which waits for it: {error}",
                PluginPhase.Running => plugin.Ask(p => p.ReadinessError, nobody: null, broken: error => error),
                PluginPhase.Disabled => null,
                _ => $"{plugin.Name}: {plugin.State.Detail}",
            };

        /// <summary>
        /// Why it does not answer now although it is going to, and when to ask again; null when it answers, or will not.
        /// </summary>
        public (string Why, TimeSpan In)? OnItsWay =>
            plugin.State.Phase switch
            {
                PluginPhase.Loading or PluginPhase.Unloaded => ($"{plugin.Name} is being loaded.", Soon),
                PluginPhase.Isolated or PluginPhase.Failed when plugin.BackOff.Wait is { } wait => (
                    $"{plugin.Name}: {plugin.State.Detail}",
                    wait
                ),
                _ when plugin.State.ConfigIsTriedAgain => (
                    $"{plugin.Name}: {plugin.State.Detail}",
                    PluginBackOff.ConfigEvery
                ),
                _ => null,
            };

        /// <summary>True when it is isolated or could not be loaded, and the time has come to try another copy.</summary>
        public bool IsDue => plugin.State.Phase is PluginPhase.Isolated or PluginPhase.Failed && plugin.BackOff.IsDue;

        /// <summary>
        /// Why a restart of the process is the way that is left, or null: an enabled plugin that has been isolated for minutes.
        /// </summary>
        public string? NotComingBack =>
            plugin.State.Phase is PluginPhase.Isolated
            && plugin.BackOff.Since is { } since
            && plugin.BackOff.For >= (plugin.HasRun ? ReturnTimeout : FirstReturnTimeout)
                ? $"{plugin.Name} has been isolated since {Time(since)}, and {plugin.BackOff.Attempts} attempts to load it again have failed: {plugin.BackOff.Reason}."
                : null;
    }

    /// <summary>A time in a sentence.</summary>
    public static string Time(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
