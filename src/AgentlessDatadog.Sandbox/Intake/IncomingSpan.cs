namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>OTLP's kinds of spans, by their numbers on the wire.</summary>
internal enum SpanKind
{
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// <summary>
/// One attribute: its value is a string, a bool, a long or a double; a list, a map or bytes come as their JSON text.
/// </summary>
internal readonly record struct SpanAttribute(string Key, object Value);

/// <summary>Another span that a span names.</summary>
internal readonly record struct SpanLink(UInt128 TraceId, ulong SpanId);

/// <summary>
/// One decoded span of an OTLP payload, of whichever encoding, before any rule but the shape was applied. Times are in
/// nanoseconds since 1970; the parent is 0 for a root. What an <c>exception</c> event says is in <c>Exception</c>, other
/// events are left out.
/// </summary>
internal sealed class IncomingSpan
{
    /// <summary>Where it stands in the body, for whoever has to mend it.</summary>
    public required string Path { get; init; }

    /// <summary>The attributes of what sent it, one instance for all spans of it.</summary>
    public required SpanAttribute[] Resource { get; init; }

    public UInt128 TraceId { get; set; }
    public ulong SpanId { get; set; }
    public ulong ParentId { get; set; }
    public string Name { get; set; } = "";
    public SpanKind Kind { get; set; }
    public ulong Start { get; set; }
    public ulong End { get; set; }
    public List<SpanAttribute> Attributes { get; } = [];
    public List<SpanAttribute> Exception { get; set; } = [];
    public List<SpanLink> Links { get; } = [];
    public bool IsError { get; set; }
    public string StatusMessage { get; set; } = "";
}
