namespace AgentlessDatadog.Sandbox.Store;

/// <summary>An event as it was taken: the fields of v1 (docs/reference/datadog.md §4.1), null where not sent.</summary>
internal sealed record StoredEvent
{
    /// <summary>Beyond 2^53, as Datadog's are, so that a client which reads it as a double fails here too.</summary>
    public long Id { get; init; }
    public required string Title { get; init; }
    public required string Text { get; init; }

    /// <summary>POSIX seconds.</summary>
    public long DateHappened { get; init; }
    public string Priority { get; init; } = "normal";
    public string AlertType { get; init; } = "info";
    public string? AggregationKey { get; init; }
    public string? SourceTypeName { get; init; }
    public string? Host { get; init; }
    public string? DeviceName { get; init; }
    public long? RelatedEventId { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>How many characters it holds; each tag counts for some more, as it does in memory.</summary>
    public long Characters =>
        Title.Length
        + Text.Length
        + (AggregationKey?.Length ?? 0)
        + (SourceTypeName?.Length ?? 0)
        + (Host?.Length ?? 0)
        + (DeviceName?.Length ?? 0)
        + Tags.Sum(tag => 16L + tag.Length);
}
