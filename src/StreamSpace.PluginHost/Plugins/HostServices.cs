using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Startup;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>What the host has for every plugin.</summary>
internal sealed record HostServices
{
    public required HostSettings Settings { get; init; }
    public required DataFolder Data { get; init; }
    public required HostStore Store { get; init; }
    public required TimeProvider Clock { get; init; }
    public required Func<double> Random { get; init; }
    public required Uri? Sandbox { get; init; }
    public required Func<IReadOnlyList<SourceStatus>> Sources { get; init; }

    /// <summary>Brings what plugins hear in line with what they say now.</summary>
    public required Func<CancellationToken, Task> Settle { get; init; }

    /// <summary>What one copy of a plugin is loaded with.</summary>
    public IPluginContext ContextFor(PluginManifest manifest, ILogger logger, CancellationToken ended) =>
        new PluginContext(
            manifest,
            Data.Folder(manifest.Name),
            logger,
            Clock,
            Random,
            Settings.Environment,
            Sandbox,
            Sources,
            LogListeners,
            ended
        );

    /// <summary>Lets a logger write warnings and worse to the console.</summary>
    public required Action<ILoggingBuilder> Console { get; init; }

    /// <summary>Who hears what the host and the plugins log.</summary>
    public required LogListeners LogListeners { get; init; }
}
