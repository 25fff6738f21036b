namespace StreamSpace.Platform.Feed;

/// <summary>How a subscription stands.</summary>
/// <param name="Behind">How many facts of the log its subscriber does not have yet.</param>
/// <param name="Missed">How many facts left the log before its subscriber had them, in this process.</param>
/// <param name="FailingSince">Since when its subscriber fails at what it is told, or null.</param>
/// <param name="Error">Why it fails, or null.</param>
public sealed record SubscriptionHealth(long Behind, long Missed, DateTimeOffset? FailingSince, string? Error);
