using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>A log as Datadog keeps it: what it knows by name apart, everything else an attribute.</summary>
internal sealed class StoredLog : IStored, ISearchable
{
    /// <inheritdoc/>
    public long Sequence { get; set; }

    /// <inheritdoc/>
    public required long Time { get; init; }
    public required string Message { get; init; }
    public required string Status { get; init; }
    public required string Service { get; init; }
    public required string Host { get; init; }

    /// <summary>Normalised, the source among them.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The whole entry as it was sent; what has a name of its own here is not an attribute.</summary>
    public required JsonElement Entry { get; init; }

    /// <inheritdoc/>
    public required long Bytes { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> ValuesOf(string field) =>
        field switch
        {
            "" => [Message],
            "service" => [Service],
            "status" => [Status],
            "host" => [Host],
            // The page's link from a span to its logs.
            "trace_id" => Attribute("dd.trace_id").SelectMany(SpanIds.Spellings),
            "span_id" => Attribute("dd.span_id"),
            ['@', .. var path] => Attribute(path),
            _ => TagValues.Of(Tags, field),
        };

    private IEnumerable<string> Attribute(string path) =>
        LogFields.IsReserved(path) ? [] : LogFields.ValuesAt(Entry, path).SelectMany(TextsOf);

    // Of a list any of its values counts.
    private static IEnumerable<string> TextsOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Number => [value.GetRawText()],
            JsonValueKind.True => ["true"],
            JsonValueKind.False => ["false"],
            JsonValueKind.Array => value
                .EnumerateArray()
                .Where(item => item.ValueKind != JsonValueKind.Array)
                .SelectMany(TextsOf),
            _ => [],
        };
}
