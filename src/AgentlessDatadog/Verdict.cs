namespace AgentlessDatadog;

/// <summary>What one answer, or its absence, means for the request and for its lane.</summary>
public enum Verdict
{
    /// <summary>Datadog has it.</summary>
    Delivered,

    /// <summary>Not now: the lane backs off and sends it again.</summary>
    Wait,

    /// <summary>Datadog does not take this key: the lane parks.</summary>
    Refused,

    /// <summary>Datadog will never take this request, which it may say behind a 2xx, too: it is set aside.</summary>
    Bad,

    /// <summary>Something else answered, a proxy for instance: the lane parks.</summary>
    NotDatadog,
}
