using System.Reflection;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What the host says about itself: alive, ready, its verdict, and all in one document.</summary>
internal sealed class HostStatus(
    DataFolder folder,
    HostStore store,
    EmbeddedSandbox sandbox,
    PluginSet plugins,
    FeedSupervisor feeds,
    DataWatch data,
    TimeProvider clock
)
{
    private const string SeeLog = "Its log says more.";

    private readonly DateTimeOffset _begin = clock.GetUtcNow();

    public static string Version { get; } =
        typeof(HostStatus)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];

    /// <summary>Set once everything that runs at start has run.</summary>
    public bool Started { get; set; }

    /// <summary>One sentence for each thing that is in the way; empty when all is well.</summary>
    public IReadOnlyList<string> ReadinessErrors =>
        Started
            ? [.. plugins.All.Select(p => p.ReadinessError).Append(feeds.Error).Append(data.Error).OfType<string>()]
            : ["The host is still starting."];

    /// <summary>One sentence for each thing that only a restart of this process may still mend.</summary>
    public IReadOnlyList<string> NotAlive => [.. plugins.All.Select(p => p.NotComingBack).OfType<string>()];

    /// <summary>
    /// How the host stands with all that it runs and hears, the same wherever it is shown: the worst of what the plugins
    /// find, which comes with its fix, of what is in the way, and of what is off or not heard.
    /// </summary>
    /// <param name="errors">What is in the way now.</param>
    public PluginVerdict Verdict(IReadOnlyList<string> errors)
    {
        var verdict = PluginVerdict.Of(
            [
                .. plugins.All.SelectMany(plugin => plugin.Ask(p => p.Findings, nobody: [], broken: _ => [])),
                .. errors.Select(why => new CheckFinding("host", CheckVerdict.Error, why, SeeLog)),
                .. plugins.All.Where(p => p.State.Phase is PluginPhase.Disabled).Select(SwitchedOff),
                .. feeds.Sources.Where(s => s.State is SourceState.Down).Select(NotHeard),
            ],
            allIsWell: ""
        );
        return verdict.State is VerdictState.Ok ? verdict with { Sentence = AllIsWell } : verdict;
    }

    public JsonObject Document()
    {
        var errors = ReadinessErrors;
        return new()
        {
            ["verdict"] = PluginStatus.Of(Verdict(errors)),
            ["version"] = Version,
            ["startedAt"] = _begin,
            ["dataFolder"] = folder.Path,
            ["ready"] = errors.Count == 0,
            ["readinessErrors"] = new JsonArray([.. errors.Select(s => (JsonNode)s)]),
            ["storeDamage"] = store.Damage,
            ["storeWarning"] = store.File.Warning,
            ["attachedTo"] = feeds.Sentence,
            ["demo"] = feeds.IsDemo,
            ["sources"] = PluginStatus.Of(feeds.Sources),
            ["sandbox"] = sandbox.Address?.ToString(),
            ["plugins"] = new JsonArray([.. plugins.All.Select(PluginStatus.Summary)]),
        };
    }

    private string AllIsWell =>
        plugins.All.Count == 0
            ? "It has no plugin."
            : string.Join(" ", plugins.All.Select(p => (string?)p.Status["verdict"]?["sentence"] ?? $"{p.Name} runs."));

    private static CheckFinding SwitchedOff(PluginSlot plugin) =>
        new(plugin.Name, CheckVerdict.Warning, $"{plugin.Name} is switched off: nothing is sent.", "Enable it.");

    private static CheckFinding NotHeard(SourceStatus source) =>
        source.Fix is { } fix
            ? new(source.Name, CheckVerdict.Warning, source.Detail, fix)
            : new(
                source.Name,
                CheckVerdict.Warning,
                $"{source.Name} is not heard: {source.Detail.Split('\n')[0]}",
                "It is tried again by itself; the command check says what to mend."
            );
}
