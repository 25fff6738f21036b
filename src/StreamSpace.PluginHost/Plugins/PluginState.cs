namespace StreamSpace.PluginHost.Plugins;

/// <summary>How a plugin stands in the host.</summary>
internal enum PluginState
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

    /// <summary>Let go of.</summary>
    Unloaded,
}
