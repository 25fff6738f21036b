namespace StreamSpace.Platform.Sources;

/// <summary>What a word about a session was read from.</summary>
public enum Witness
{
    /// <summary>A message or a posted event: somebody says so.</summary>
    Message,

    /// <summary>The session resource of version 1, together with its pods.</summary>
    Resource,

    /// <summary>The deployment of a session of version 2, together with its pods.</summary>
    Workload,

    /// <summary>The row of a session of version 2.</summary>
    Row,
}
