namespace AgentlessDatadog;

/// <summary>On which side of a call a span is, as OpenTelemetry numbers them.</summary>
public enum SpanKind
{
    /// <summary>Inside of what the service does.</summary>
    Internal = 1,

    /// <summary>
    /// What the service is asked for. Datadog counts hits and errors, and measures latency, where one of these is a root.
    /// </summary>
    Server = 2,

    /// <summary>A call to somebody else, who answers.</summary>
    Client = 3,

    /// <summary>A message that is sent.</summary>
    Producer = 4,

    /// <summary>A message that is taken.</summary>
    Consumer = 5,
}

/// <summary>Another span that has to do with one.</summary>
/// <param name="TraceId">Its trace; not 0.</param>
/// <param name="SpanId">Its id; not 0.</param>
public readonly record struct SpanLink(UInt128 TraceId, ulong SpanId);

/// <summary>
/// A piece of work with a beginning and an end, for Datadog's traces (docs/reference/datadog.md §5.1). It is refused when an
/// id is 0, when it is its own parent, when it has no name, when it ends before it begins, or when it is not within the last
/// 18 h and the next 2 h.
/// </summary>
/// <param name="TraceId">
/// The trace it belongs to. With the upper half 0, it reads the same in Datadog's decimal form and in OpenTelemetry's
/// hexadecimal one.
/// </param>
/// <param name="SpanId">Its own id.</param>
/// <param name="Name">The operation, such as <c>session.start</c>: few and fixed. What follows its 100th character is cut off.</param>
/// <param name="Start">When it began.</param>
/// <param name="Duration">How long it took.</param>
public sealed record Span(UInt128 TraceId, ulong SpanId, EventText Name, DateTimeOffset Start, TimeSpan Duration)
    : Signal
{
    /// <summary>The span it is part of; 0 for a root.</summary>
    public ulong ParentId { get; init; }

    /// <summary>What the operation was done to: of few kinds, never an id. At most 5 000 characters. Null: the name.</summary>
    public EventText? Resource { get; init; }

    /// <summary>Datadog's kind of work, such as <c>web</c>, <c>db</c> or <c>worker</c>.</summary>
    public string Type { get; init; } = "custom";

    /// <summary>On which side of a call it is.</summary>
    public SpanKind Kind { get; init; } = SpanKind.Internal;

    /// <summary>The service that did it. Null: <see cref="TelemetryOptions.Service"/>.</summary>
    public string? Service { get; init; }

    /// <summary>
    /// What is to be said of it, by name: text, numbers, booleans; anything else as its text. They are data that is found by
    /// its name, and stand as they are. The first 1 000 are kept, of a name 200 characters, of a text 25 000, of all together
    /// 500 000; how many were not is told with the span.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Attributes { get; init; } = [];

    /// <summary>Spans that it has to do with, the first 100 of them.</summary>
    public IReadOnlyList<SpanLink> Links { get; init; } = [];

    /// <summary>What went wrong, which makes it an error; null: it went well.</summary>
    public ErrorDetails? Error { get; init; }
}
