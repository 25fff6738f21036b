namespace AgentlessDatadog.Pipeline;

/// <summary>What else happens on the loop.</summary>
/// <param name="Observe">Called with the second of each flush but the last, before it.</param>
/// <param name="Report">Called after that, before each flush.</param>
/// <param name="Configured">Called with the options that hold from then on.</param>
/// <param name="AskTime">Called when Datadog's clock should be asked, at each flush that this machine's leaves in doubt.</param>
internal sealed record LoopHooks(
    Action<DateTimeOffset> Observe,
    Action Report,
    Action<TelemetryOptions> Configured,
    Action AskTime
);
