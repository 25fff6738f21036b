using System.Reflection;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Feed;
using StreamSpace.PluginHost.Health;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Web;

/// <summary>What the host says about itself, in one document.</summary>
internal sealed class HostStatus(
    DataFolder folder,
    HostStore store,
    EmbeddedSandbox sandbox,
    PluginSet plugins,
    FeedSupervisor feeds,
    HostHealth health,
    TimeProvider clock
)
{
    private readonly DateTimeOffset _begin = clock.GetUtcNow();

    public static string Version { get; } =
        typeof(HostStatus)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];

    public JsonObject Document()
    {
        var errors = health.ReadinessErrors;
        return new()
        {
            ["verdict"] = PluginStatus.Of(health.Verdict),
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
}
