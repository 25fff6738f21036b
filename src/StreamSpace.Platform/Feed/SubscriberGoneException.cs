namespace StreamSpace.Platform.Feed;

/// <summary>Thrown by a subscriber that is no more: its subscription ends, and the cursor stays where it is.</summary>
public sealed class SubscriberGoneException : Exception;
