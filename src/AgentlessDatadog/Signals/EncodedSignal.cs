namespace AgentlessDatadog.Signals;

/// <summary>One signal of a lane whose requests hold many, encoded.</summary>
/// <param name="Lane">The way it goes.</param>
/// <param name="At">Its time, which its age limit goes by.</param>
/// <param name="Bytes">Its part of a request.</param>
internal sealed record EncodedSignal(Lane Lane, DateTimeOffset At, ReadOnlyMemory<byte> Bytes);
