namespace AgentlessDatadog;

/// <summary>
/// Something for Datadog that must not be lost: a <see cref="Measurement"/>, a <see cref="DatadogEvent"/>, a
/// <see cref="LogEntry"/> or a <see cref="Span"/>.
/// </summary>
public abstract record Signal
{
    // A closed set: what is in none of Datadog's intakes cannot be sent.
    private protected Signal() { }
}
