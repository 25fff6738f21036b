using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <inheritdoc cref="IPluginContext"/>
internal sealed record PluginContext(
    PluginManifest Manifest,
    string DataFolder,
    ILogger Logger,
    TimeProvider Clock,
    Func<double> Random,
    IReadOnlyDictionary<string, string> Environment,
    Uri? Sandbox,
    Func<IReadOnlyList<SourceStatus>> LookAtSources,
    CancellationToken Ended
) : IPluginContext
{
    public IReadOnlyList<SourceStatus> Sources => LookAtSources();
}
