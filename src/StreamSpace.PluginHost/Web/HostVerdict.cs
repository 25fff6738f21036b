using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>How the host stands with all that it runs and hears, in one verdict: the worst of theirs.</summary>
internal static class HostVerdict
{
    private const string SeeLog = "Its log says more.";

    /// <param name="trouble">What is in the host's own way, a sentence each.</param>
    /// <param name="plugins">Its plugins.</param>
    /// <param name="sources">What it listens to.</param>
    public static PluginVerdict Of(
        IEnumerable<string> trouble,
        IReadOnlyList<PluginSlot> plugins,
        IReadOnlyList<SourceStatus> sources
    ) =>
        PluginVerdict.Of(
            [
                .. plugins.Where(p => p.State.Phase is PluginPhase.Running).SelectMany(p => Said(p)),
                .. plugins.Where(p => p.State.Phase is not PluginPhase.Running).Select(Away),
                .. trouble.Select(t => new CheckFinding("host", CheckVerdict.Fault, t, SeeLog)),
                .. plugins.SelectMany(NotReady),
                .. sources.Where(s => s.State is SourceState.Down).Select(Deaf),
            ],
            plugins.Count == 0 ? "It has no plugin." : AllIsWell(plugins)
        );

    private static IReadOnlyList<CheckFinding> Said(PluginSlot plugin) =>
        plugin.Ask(p => p.Findings, nobody: [], broken: _ => []);

    private static CheckFinding Away(PluginSlot plugin) =>
        plugin.State.Phase is PluginPhase.Disabled
            ? new(plugin.Name, CheckVerdict.Warning, $"{plugin.Name} is switched off: nothing is sent.", "Enable it.")
            : new(plugin.Name, CheckVerdict.Fault, $"{plugin.Name}: {plugin.State.Detail}", SeeLog);

    // What it says itself, with its fix, has come before.
    private static IEnumerable<CheckFinding> NotReady(PluginSlot plugin) =>
        plugin.State.Phase is PluginPhase.Running && plugin.NotReady is { } why
            ? [new(plugin.Name, CheckVerdict.Fault, why, SeeLog)]
            : [];

    private static CheckFinding Deaf(SourceStatus source) =>
        new(
            source.Name,
            CheckVerdict.Warning,
            $"{source.Name} is not heard: {source.Detail.Split('\n')[0]}",
            "It is tried again by itself; the command check says what to mend."
        );

    private static string AllIsWell(IReadOnlyList<PluginSlot> plugins) =>
        string.Join(" ", plugins.Select(p => (string?)p.Status["verdict"]?["sentence"] ?? $"{p.Name} runs."));
}
