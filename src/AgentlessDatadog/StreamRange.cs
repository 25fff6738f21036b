namespace AgentlessDatadog;

/// <summary>
/// A stretch of a stream that its caller can read again, such as a log with sequences. What is kept with it counts once,
/// however often it is handed in: the position of the stream is durable together with it.
/// </summary>
/// <param name="Stream">Names the stream. A stream that begins anew needs another name. The 64 that moved last are known.</param>
/// <param name="From">Where the stream stood when it was read: what <see cref="TelemetryPipeline.Position"/> said.</param>
/// <param name="To">Where it stands once this is durable; above <paramref name="From"/>.</param>
public sealed record StreamRange(string Stream, long From, long To);
