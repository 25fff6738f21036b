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
    LogListeners LogListeners,
    CancellationToken Ended
) : IPluginContext
{
    public IReadOnlyList<SourceStatus> Sources => LookAtSources();

    public IDisposable ListenToLog(ILoggerProvider listener)
    {
        var listening = LogListeners.Add(listener);
        Ended.Register(listening.Dispose);
        return listening;
    }
}
