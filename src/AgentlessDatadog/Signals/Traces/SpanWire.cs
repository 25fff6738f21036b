namespace AgentlessDatadog.Signals.Traces;

/// <summary>The fields of OTLP's messages for traces, as many of them as are sent (docs/reference/datadog.md §5.2).</summary>
internal static class SpanWire
{
    // Of ExportTraceServiceRequest, ResourceSpans and ScopeSpans.
    public const int ResourceSpans = 1;
    public const int Resource = 1;
    public const int ScopeSpans = 2;
    public const int Scope = 1;
    public const int Spans = 2;

    // Of Resource and InstrumentationScope.
    public const int ResourceAttributes = 1;
    public const int ScopeName = 1;

    // Of Span.
    public const int TraceId = 1;
    public const int SpanId = 2;
    public const int ParentId = 4;
    public const int Name = 5;
    public const int Kind = 6;
    public const int Start = 7;
    public const int End = 8;
    public const int Attributes = 9;
    public const int DroppedAttributes = 10;
    public const int Links = 13;
    public const int Status = 15;

    // Of Link and Status.
    public const int LinkTraceId = 1;
    public const int LinkSpanId = 2;
    public const int StatusMessage = 2;
    public const int StatusCode = 3;

    // Of KeyValue and AnyValue.
    private const int Key = 1;
    private const int Value = 2;
    private const int Text = 1;
    private const int Boolean = 2;
    private const int Integer = 3;
    private const int Real = 4;

    /// <summary>Writes a text, a boolean, an integer or a number under a name.</summary>
    public static void WriteAttribute(ProtobufWriter to, int field, string key, object value)
    {
        var attribute = to.Begin(field);
        to.Text(Key, key);
        var any = to.Begin(Value);
        switch (value)
        {
            case string text:
                to.Text(Text, text);
                break;
            case bool yes:
                to.Number(Boolean, yes ? 1UL : 0UL);
                break;
            case long number:
                to.Number(Integer, (ulong)number);
                break;
            default:
                to.Double(Real, (double)value);
                break;
        }
        to.End(any);
        to.End(attribute);
    }
}
