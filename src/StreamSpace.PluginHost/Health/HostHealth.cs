using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Health;

/// <summary>
/// How the host stands with all that it runs and hears: alive, ready, and one verdict, the same wherever it is shown, which is the
/// worst of what the plugins and the host itself find.
/// </summary>
internal sealed class HostHealth(
    HostSettings settings,
    HostStore store,
    PluginSet plugins,
    FeedSupervisor feeds,
    DataWatch data
)
{
    private const string SeeLog = "Its log says more.";

    /// <summary>Set once everything that runs at start has run.</summary>
    public bool Started { get; set; }

    /// <summary>One sentence for each thing that is in the way; empty when all is well.</summary>
    public IReadOnlyList<string> ReadinessErrors =>
        Started
            ? [.. plugins.All.Select(p => p.ReadinessError).Append(feeds.Error).Append(data.Error).OfType<string>()]
            : ["The host is still starting."];

    /// <summary>One sentence for each thing that only a restart of this process may still mend.</summary>
    public IReadOnlyList<string> NotAlive => [.. plugins.All.Select(p => p.NotComingBack).OfType<string>()];

    /// <summary>The worst of everything.</summary>
    public PluginVerdict Verdict => Of([.. plugins.All.SelectMany(FindingsOf)]);

    /// <summary>What the host finds besides its plugins, as it stands now; of a source that is not configured, <see cref="Absent"/> tells.</summary>
    public IReadOnlyList<CheckFinding> Findings =>
        [
            .. Started ? [] : (CheckFinding[])[Starting],
            .. plugins.All.Count > 0
                ? []
                : (CheckFinding[])
                    [
                        new(
                            "plugins",
                            CheckVerdict.Error,
                            $"There is no plugin in {settings.PluginsFolder}: nothing is sent.",
                            "Name the folder with --plugins, or install one."
                        ),
                    ],
            .. new[] { feeds.Error, data.Error }
                .OfType<string>()
                .Select(error => new CheckFinding(
                    "host",
                    CheckVerdict.Error,
                    error,
                    "Make room on the disk of the data folder, or mend what the sentence names; it goes on by itself."
                )),
            .. new[] { store.Damage, store.File.Warning }
                .OfType<string>()
                .Select(warning => new CheckFinding(
                    "host.db",
                    CheckVerdict.Warning,
                    warning,
                    "See that the config is still yours; the warning ends with the next restart."
                )),
            .. feeds.Findings,
        ];

    /// <summary>Sources that are not configured, and the metrics that each costs. Only another environment changes it.</summary>
    public IReadOnlyList<CheckFinding> Absent =>
        feeds.IsAttached
            ? [.. SourceFactory.Absent(settings.Environment).Where(f => f.Verdict is not CheckVerdict.Good)]
            : [];

    /// <summary>The worst of what is found of one plugin and of what concerns all.</summary>
    public PluginVerdict VerdictOf(PluginSlot plugin) => Of(FindingsOf(plugin));

    /// <summary>What a plugin finds of itself, and what the host finds of it.</summary>
    public static IReadOnlyList<CheckFinding> FindingsOf(PluginSlot plugin)
    {
        var own = plugin.Ask(p => p.Findings, nobody: [], broken: _ => []);
        return [.. own, .. FoundOf(plugin, own), .. plugin.Configurator?.RowFindings ?? []];
    }

    /// <summary>That an operator has switched a plugin off here.</summary>
    /// <param name="plugin">Its name.</param>
    public static CheckFinding SwitchedOff(string plugin) =>
        new(
            "switch",
            CheckVerdict.Warning,
            $"{plugin} is switched off here, by a call of the API: nothing is collected, and nothing is sent.",
            $"Enable it: POST /api/plugins/{plugin}/enable."
        );

    private static CheckFinding Starting =>
        new("host", CheckVerdict.Error, "The host is still starting.", "Wait for it; its console says what it is at.");

    private PluginVerdict Of(IReadOnlyList<CheckFinding> ofPlugins)
    {
        var verdict = PluginVerdict.Of([.. ofPlugins, .. Findings, .. Absent], allIsWell: "");
        return verdict.State is VerdictState.Ok ? verdict with { Sentence = AllIsWell } : verdict;
    }

    private string AllIsWell =>
        string.Join(" ", plugins.All.Select(p => (string?)p.Status["verdict"]?["sentence"] ?? $"{p.Name} runs."));

    // What is in the way the plugin may have said itself, with its fix.
    private static IEnumerable<CheckFinding> FoundOf(PluginSlot plugin, IReadOnlyList<CheckFinding> own)
    {
        var state = plugin.State;
        if (state.Phase is PluginPhase.Disabled)
        {
            yield return SwitchedOff(plugin.Name);
        }
        else if (
            plugin.ReadinessError is { } why
            && !own.Any(f => f.Verdict is CheckVerdict.Error && f.Found.Contains(why, StringComparison.Ordinal))
            && !(state.Phase is PluginPhase.Unconfigured && own.Any(f => f.Verdict is CheckVerdict.Error))
        )
        {
            yield return new(
                "plugin",
                CheckVerdict.Error,
                why,
                state.Phase switch
                {
                    PluginPhase.Loading or PluginPhase.Unloaded => "Wait for it.",
                    PluginPhase.Isolated => "Wait for that, or restart this process; the plugin's log says more.",
                    PluginPhase.Failed => "Install it again; the plugin's log says more.",
                    _ => SeeLog,
                }
            );
        }
        else if (state is { Phase: PluginPhase.Running, Detail.Length: > 0 })
        {
            yield return new("plugin", CheckVerdict.Warning, $"{plugin.Name}: {state.Detail}", SeeLog);
        }
    }
}
