namespace AgentlessDatadog.Store;

/// <summary>A damaged file that a store has put out of its way, whole, before it began a new one.</summary>
/// <param name="Path">Where it is now.</param>
/// <param name="Reason">What was wrong with it.</param>
internal sealed record QuarantinedFile(string Path, string Reason);
