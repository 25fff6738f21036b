namespace AgentlessDatadog;

/// <summary>A name cannot be released: one of its series is held, or has a value that no flush has taken yet.</summary>
public sealed class MetricInUseException()
    : Exception("It is in use: a handle holds it, or it has a value that is not flushed yet.");
