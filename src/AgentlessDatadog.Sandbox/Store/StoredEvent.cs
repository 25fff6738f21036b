using System.Globalization;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>An event as it was taken: the fields of v1 (docs/reference/datadog.md §4.1), null where not sent.</summary>
internal sealed record StoredEvent : IStored, ISearchable
{
    private const long FirstId = 7_000_000_000_000_000_000;

    /// <inheritdoc/>
    public long Sequence { get; set; }

    /// <inheritdoc/>
    public long Time => DateHappened * 1_000_000_000;

    /// <summary>Beyond 2^53, as Datadog's are, so that a client which reads it as a double fails here too.</summary>
    public long Id => FirstId + Sequence;
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

    /// <summary>Two bytes a character, and what each object takes besides.</summary>
    public long Bytes =>
        200
        + (
            2L
            * (
                Title.Length
                + Text.Length
                + (AggregationKey?.Length ?? 0)
                + (SourceTypeName?.Length ?? 0)
                + (Host?.Length ?? 0)
                + (DeviceName?.Length ?? 0)
                + Tags.Sum(tag => 16L + tag.Length)
            )
        );

    /// <inheritdoc/>
    public IEnumerable<string> ValuesOf(string field) =>
        field switch
        {
            "" => [Title, Text],
            "status" or "@status" => [AlertType],
            "priority" or "@priority" => [Priority],
            "host" or "@hostname" => Host is null ? [] : [Host],
            "source" => SourceTypeName is null ? [] : [SourceTypeName],
            "@title" => [Title],
            "@aggregation_key" => AggregationKey is null ? [] : [AggregationKey],
            "@evt.id" => [Id.ToString(CultureInfo.InvariantCulture)],
            _ => TagValues.Of(Tags, field),
        };
}
