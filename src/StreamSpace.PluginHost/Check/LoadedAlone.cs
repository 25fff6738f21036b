using Microsoft.Extensions.Logging.Abstractions;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost;

/// <summary>A plugin loaded for one question, beside the service that may be running: not configured, hearing nothing.</summary>
internal static class LoadedAlone
{
    /// <exception cref="FormatException">The folder holds no plugin.</exception>
    public static async Task<T> AskAsync<T>(
        string folder,
        HostSettings settings,
        TimeProvider clock,
        Func<double> chance,
        Func<IPlugin, PluginManifest, Task<T>> question,
        CancellationToken cancellationToken
    )
    {
        var manifest = PluginFolder.ReadManifest(folder);
        var context = new PluginLoadContext(Path.Combine(folder, manifest.EntryPoint));
        try
        {
            var plugin = PluginFolder.MakePlugin(context, manifest);
            await plugin.LoadAsync(
                new PluginContext(
                    manifest,
                    Path.Combine(Path.GetFullPath(settings.DataFolder), manifest.Name),
                    NullLogger.Instance,
                    clock,
                    chance,
                    settings.Environment,
                    settings.SandboxUrls.Count > 0 ? Reachable.From(new Uri(settings.SandboxUrls[0])) : null,
                    () => []
                ),
                cancellationToken
            );
            return await question(plugin, manifest);
        }
        finally
        {
            context.Unload();
        }
    }
}
