using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Plugins;

/// <summary>What has become of a plugin.</summary>
internal enum PluginPhase
{
    /// <summary>Found; its turn has not come, or is not over.</summary>
    Loading,

    /// <summary>Loaded, a config in force.</summary>
    Running,

    /// <summary>Loaded; no valid config yet.</summary>
    Unconfigured,

    /// <summary>Could not be loaded.</summary>
    Failed,

    /// <summary>It did not come back from a call: nothing is asked of it any more.</summary>
    Isolated,

    /// <summary>Switched off by the operator.</summary>
    Disabled,

    /// <summary>Unloaded; another copy is to come, or the process ends.</summary>
    Unloaded,

    /// <summary>Uninstalled: nothing more is to come, and nothing of it may be kept.</summary>
    Uninstalled,
}

/// <summary>How a plugin stands in the host. It is replaced as a whole: whoever sees the phase sees why.</summary>
/// <param name="Phase">What has become of it.</param>
/// <param name="Detail">One sentence for a person; empty while there is nothing to say.</param>
internal sealed record PluginState(PluginPhase Phase, string Detail = "")
{
    /// <summary>What is wrong with the config while none is in force.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>
    /// True while it has no config because it threw over the one that is kept, which may be a good one: it is tried again.
    /// </summary>
    public bool ConfigIsTriedAgain { get; init; }
}
