namespace AgentlessDatadog.Sandbox.Access;

/// <summary>What a caller may do in a sandbox. What Datadog's intake takes needs its key alone, as there.</summary>
public enum SandboxAccess
{
    /// <summary>Nothing: 401.</summary>
    None,

    /// <summary>Look; what would change something is answered with 403.</summary>
    Read,

    /// <summary>All, faults and metadata included.</summary>
    Write,
}
