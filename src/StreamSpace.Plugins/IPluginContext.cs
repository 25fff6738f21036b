using Microsoft.Extensions.Logging;

namespace StreamSpace.Plugins;

/// <summary>What the host gives a plugin. Lives as long as the plugin is loaded.</summary>
public interface IPluginContext
{
    /// <summary>The plugin's own manifest, as read from its folder.</summary>
    PluginManifest Manifest { get; }

    /// <summary>An existing folder that is this plugin's alone, readable by the owner only; survives updates.</summary>
    string DataFolder { get; }

    /// <summary>Writes to the plugin's log file and to the host's console.</summary>
    ILogger Logger { get; }

    /// <summary>
    /// Hands to <paramref name="listener"/>, too, what this plugin, the others and the host log, from Information on; of the
    /// web server and the runtime from Warning on. Until the result is disposed, or this copy is over. Whoever logs calls it:
    /// it must return at once, whatever the thread. What it throws nobody is told.
    /// </summary>
    IDisposable ListenToLog(ILoggerProvider listener);

    /// <summary>The only clock a plugin should read.</summary>
    TimeProvider Clock { get; }

    /// <summary>Chance, uniform in [0, 1).</summary>
    Func<double> Random { get; }

    /// <summary>The host's environment variables, as <see cref="EnvironmentVariables"/> reads them.</summary>
    IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Base address of the local Datadog that the host runs, or null when it runs none.</summary>
    Uri? Sandbox { get; }

    /// <summary>How the sources of platform events stand, now.</summary>
    IReadOnlyList<SourceStatus> Sources { get; }

    /// <summary>
    /// Fires when this copy of the plugin is over: it was unloaded, or did not come back from a call. Its loops and timers
    /// end by it.
    /// </summary>
    CancellationToken Ended { get; }
}
