using System.Reflection;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>What the host says about itself: alive, ready, and all in one document.</summary>
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
    private readonly DateTimeOffset _begin = clock.GetUtcNow();

    public static string Version { get; } =
        typeof(HostStatus)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];

    /// <summary>Set once everything that runs at start has run.</summary>
    public bool Started { get; set; }

    /// <summary>One sentence for each thing that is in the way; empty when all is well.</summary>
    public IReadOnlyList<string> NotReady =>
        Started
            ? [.. plugins.All.Select(p => p.NotReady).Append(feeds.Error).Append(data.Fault).OfType<string>()]
            : ["The host is still starting."];

    /// <summary>One sentence for each thing that only a restart of this process may still mend.</summary>
    public IReadOnlyList<string> NotAlive => [.. plugins.All.Select(p => p.NotComingBack).OfType<string>()];

    /// <summary>How all of it stands together, in one sentence with one thing to do.</summary>
    public PluginVerdict Verdict =>
        HostVerdict.Of(
            Started ? ((string?[])[feeds.Error, data.Fault]).OfType<string>() : NotReady,
            plugins.All,
            feeds.Sources
        );

    public JsonObject Document() =>
        new()
        {
            ["verdict"] = PluginStatus.Of(Verdict),
            ["version"] = Version,
            ["startedAt"] = _begin,
            ["dataFolder"] = folder.Path,
            ["ready"] = NotReady.Count == 0,
            ["notReady"] = new JsonArray([.. NotReady.Select(s => (JsonNode)s)]),
            ["storeSetAside"] = store.SetAside,
            ["storeWarning"] = store.File.Warning,
            ["attachedTo"] = feeds.Sentence,
            ["demo"] = feeds.IsDemo,
            ["sources"] = PluginStatus.Of(feeds.Sources),
            ["sandbox"] = sandbox.Address?.ToString(),
            ["plugins"] = new JsonArray([.. plugins.All.Select(PluginStatus.Summary)]),
        };
}
