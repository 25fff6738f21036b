namespace AgentlessDatadog;

/// <summary>
/// A stretch of a stream did not begin where the stream stands: something of it is durable already, and nothing more of it
/// was kept. <see cref="TelemetryPipeline.Position"/> says from where on it may be handed in.
/// </summary>
public sealed class PositionMovedException : InvalidOperationException
{
    /// <summary>Says so.</summary>
    public PositionMovedException()
        : this("The stream stands elsewhere by now: nothing was kept.") { }

    /// <summary>Says it in other words.</summary>
    public PositionMovedException(string message)
        : base(message) { }

    /// <summary>Says it in other words, and what it comes from.</summary>
    public PositionMovedException(string message, Exception inner)
        : base(message, inner) { }
}
