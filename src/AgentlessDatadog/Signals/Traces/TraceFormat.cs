namespace AgentlessDatadog.Signals.Traces;

/// <summary>
/// The body of <c>/v1/traces</c>: an <c>ExportTraceServiceRequest</c> with one resource, which says where the spans come from,
/// and one scope (docs/reference/datadog.md §5.2).
/// </summary>
internal sealed class TraceFormat : RequestFormat
{
    private const string Library = "agentless-datadog";

    // Two fields with their lengths around everything.
    private const int Frames = 2 * (1 + Varint.Max);

    private readonly byte[] _resource;
    private readonly byte[] _scope;

    public TraceFormat(TelemetryOptions options)
    {
        var writer = new ProtobufWriter();
        var resource = writer.Begin(SpanWire.Resource);
        foreach (var (key, value) in AttributesOf(options))
        {
            SpanWire.WriteAttribute(writer, SpanWire.ResourceAttributes, key, value);
        }

        writer.End(resource);
        _resource = writer.Written.ToArray();
        writer.Reset();
        var scope = writer.Begin(SpanWire.Scope);
        writer.Text(SpanWire.ScopeName, Library);
        writer.End(scope);
        _scope = writer.Written.ToArray();
    }

    public override int Overhead => Frames + _resource.Length + _scope.Length;

    public override int OverheadOfEach => 0;

    public override byte[] Join(IReadOnlyList<EncodedSignal> signals) =>
        Join(_resource, _scope, [.. signals.Select(signal => signal.Bytes)]);

    /// <summary>Parts a body in two, with the spans in each; null: it holds one at most.</summary>
    public static IReadOnlyList<(byte[] Raw, long Units)>? Halve(ReadOnlyMemory<byte> raw)
    {
        ReadOnlySpan<byte> resource = default;
        ReadOnlySpan<byte> scope = default;
        List<ReadOnlyMemory<byte>> spans = [];
        var inResource = Inside(raw.Span, SpanWire.ResourceSpans);
        var fields = new ProtobufFields(inResource);
        while (fields.Next())
        {
            if (fields.Number == SpanWire.Resource)
            {
                resource = fields.Field;
            }
        }
        var inScope = new ProtobufFields(Inside(inResource, SpanWire.ScopeSpans));
        while (inScope.Next())
        {
            if (inScope.Number == SpanWire.Scope)
            {
                scope = inScope.Field;
            }
            else if (inScope.Number == SpanWire.Spans)
            {
                spans.Add(inScope.Field.ToArray());
            }
        }
        if (spans.Count < 2)
        {
            return null;
        }

        var middle = spans.Count / 2;
        return
        [
            (Join(resource, scope, spans[..middle]), middle),
            (Join(resource, scope, spans[middle..]), spans.Count - middle),
        ];
    }

    private static ReadOnlySpan<byte> Inside(ReadOnlySpan<byte> message, int field)
    {
        var fields = new ProtobufFields(message);
        while (fields.Next())
        {
            if (fields.Number == field)
            {
                return fields.Bytes;
            }
        }
        throw new InvalidDataException("A request for traces holds none.");
    }

    private static byte[] Join(ReadOnlySpan<byte> resource, ReadOnlySpan<byte> scope, List<ReadOnlyMemory<byte>> spans)
    {
        var inScope = scope.Length + spans.Sum(span => span.Length);
        var inResource =
            resource.Length + Varint.Length(HeadOf(SpanWire.ScopeSpans)) + Varint.Length((ulong)inScope) + inScope;
        var body = new byte[
            Varint.Length(HeadOf(SpanWire.ResourceSpans)) + Varint.Length((ulong)inResource) + inResource
        ];
        var at = Varint.Write(body, HeadOf(SpanWire.ResourceSpans));
        at += Varint.Write(body.AsSpan(at), (ulong)inResource);
        resource.CopyTo(body.AsSpan(at));
        at += resource.Length;
        at += Varint.Write(body.AsSpan(at), HeadOf(SpanWire.ScopeSpans));
        at += Varint.Write(body.AsSpan(at), (ulong)inScope);
        scope.CopyTo(body.AsSpan(at));
        at += scope.Length;
        foreach (var span in spans)
        {
            span.Span.CopyTo(body.AsSpan(at));
            at += span.Length;
        }
        return body;
    }

    private static ulong HeadOf(int field) => (ulong)((field << 3) | 2);

    private static IEnumerable<KeyValuePair<string, string>> AttributesOf(TelemetryOptions options)
    {
        yield return new("service.name", options.Service);
        if (options.ValueOf("version") is { } version)
        {
            yield return new("service.version", version);
        }

        if (options.ValueOf("env") is { } environment)
        {
            yield return new("deployment.environment.name", environment);
        }

        yield return new("host.name", options.Host);
        yield return new("telemetry.sdk.name", Library);
        yield return new("telemetry.sdk.language", "dotnet");
        foreach (var tags in TagSet.Of(options.Tags).GroupBy(KeyOf, StringComparer.Ordinal))
        {
            if (tags.Key is not ("service" or "version" or "env" or "host"))
            {
                yield return new(tags.Key, string.Join(',', tags.Select(ValueOf)));
            }
        }
    }

    private static string KeyOf(string tag) => tag.Split(':', 2)[0];

    private static string ValueOf(string tag) => tag.Split(':', 2) is [_, var value] ? value : "true";
}
