using Microsoft.Extensions.Logging.Abstractions;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Web;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Checks;

/// <summary>A plugin loaded for one question, beside the service that may be running: not configured, hearing nothing.</summary>
internal static class StandalonePlugin
{
    /// <exception cref="FormatException">The folder holds no plugin.</exception>
    public static async Task<T> AskAsync<T>(
        string folder,
        HostSettings settings,
        TimeProvider clock,
        Func<double> random,
        Func<IPlugin, PluginManifest, Task<T>> question,
        CancellationToken cancellationToken
    )
    {
        var manifest = PluginFolder.ReadManifest(folder);
        await using var instance = new PluginInstance(new PluginLoadContext(Path.Combine(folder, manifest.EntryPoint)));
        var plugin = instance.Plugin = PluginFolder.MakePlugin(instance.Context, manifest);
        await plugin.LoadAsync(
            new PluginContext(
                manifest,
                Path.Combine(Path.GetFullPath(settings.DataFolder), manifest.Name),
                NullLogger.Instance,
                clock,
                random,
                settings.Environment,
                settings.SandboxUrls.Count > 0 ? ListenAddress.From(new Uri(settings.SandboxUrls[0])) : null,
                () => [],
                new LogListeners(),
                instance.Ended
            ),
            cancellationToken
        );
        return await question(plugin, manifest);
    }
}
