namespace StreamSpace.Plugins;

/// <summary>A stretch of time for which a session stood in one way, by the platform's clock.</summary>
/// <param name="State">How it stood.</param>
/// <param name="From">Since when, or since when it is known.</param>
/// <param name="To">Until when; never before <paramref name="From"/>.</param>
public readonly record struct SessionStretch(SessionState State, DateTimeOffset From, DateTimeOffset To);
