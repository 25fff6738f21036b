using System.Globalization;
using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Queries;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>A span as Datadog keeps it: names put in order, attributes bounded. Times are in nanoseconds since 1970.</summary>
internal sealed class StoredSpan : IStored, ISearchable
{
    /// <inheritdoc/>
    public long Sequence { get; set; }

    public required UInt128 TraceId { get; init; }
    public required ulong SpanId { get; init; }

    /// <summary>0 for a root.</summary>
    public required ulong ParentId { get; init; }
    public required string Operation { get; init; }
    public required string Resource { get; init; }
    public required string Service { get; init; }
    public required string Env { get; init; }
    public required string Version { get; init; }
    public required string Host { get; init; }
    public required string Type { get; init; }
    public required SpanKind Kind { get; init; }
    public required long Start { get; init; }
    public required long Duration { get; init; }
    public required bool IsError { get; init; }
    public required SpanAttribute[] Attributes { get; init; }

    /// <summary>The attributes of what sent it, shared by the spans of one request.</summary>
    public required SpanAttribute[] ResourceAttributes { get; init; }
    public required SpanLink[] Links { get; init; }

    public long End => Start + Duration;

    /// <inheritdoc/>
    public long Time => Start;

    /// <inheritdoc/>
    public required long Bytes { get; set; }

    /// <summary>
    /// True where a request enters a service, and where it leaves one: what trace metrics are computed of
    /// (docs/reference/datadog.md §5.4).
    /// </summary>
    public bool HasMetrics =>
        ParentId == 0 || Kind is SpanKind.Server or SpanKind.Consumer or SpanKind.Client or SpanKind.Producer;

    /// <summary>Its attributes and then those of what sent it; each key once.</summary>
    public IEnumerable<SpanAttribute> AllAttributes =>
        Attributes.Concat(ResourceAttributes.Where(shared => !Attributes.Any(own => own.Key == shared.Key)));

    /// <inheritdoc/>
    public IEnumerable<string> ValuesOf(string field) =>
        field switch
        {
            "" => [Resource, Operation, Service],
            "service" => [Service],
            "operation_name" => [Operation],
            "resource_name" => [Resource],
            "env" => [Env],
            "version" => [Version],
            "host" => [Host],
            "type" => [Type],
            "status" => [IsError ? "error" : "ok"],
            "span_id" =>
            [
                SpanId.ToString(CultureInfo.InvariantCulture),
                SpanId.ToString("x16", CultureInfo.InvariantCulture),
            ],
            "parent_id" => [ParentId.ToString(CultureInfo.InvariantCulture)],
            "trace_id" => SpanIds.Spellings(TraceId),
            "@duration" => [Duration.ToString(CultureInfo.InvariantCulture)],
            _ => AttributeNamed(field.StartsWith('@') ? field[1..] : field),
        };

    // Its own attribute before that of what sent it; each key is there once.
    private string[] AttributeNamed(string key)
    {
        foreach (var attributes in (ReadOnlySpan<SpanAttribute[]>)[Attributes, ResourceAttributes])
        {
            foreach (var (name, value) in attributes)
            {
                if (name == key)
                {
                    return [TextOf(value)];
                }
            }
        }
        return [];
    }

    /// <summary>An attribute's value as a search compares it.</summary>
    public static string TextOf(object value) =>
        value switch
        {
            bool flag => flag ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
}
