namespace StreamSpace.Plugins;

/// <summary>What is true about a session now, as far as the host knows.</summary>
public enum SessionState
{
    /// <summary>Asked for, and not there yet, where sessions themselves are looked at: it may never be.</summary>
    Requested,

    /// <summary>
    /// Meant to run, and not confirmed running yet. Where nobody looks at sessions themselves, it is so from the request on.
    /// </summary>
    Starting,

    /// <summary>Confirmed running.</summary>
    Running,

    /// <summary>Asleep: scaled to nothing, to be woken later.</summary>
    Hibernated,

    /// <summary>Could not be made or broke.</summary>
    Failed,

    /// <summary>Asked for more than ten minutes ago and never confirmed by anything.</summary>
    Lapsed,

    /// <summary>Being deleted, still there.</summary>
    Ending,

    /// <summary>Gone. Final for this life.</summary>
    Ended,
}
