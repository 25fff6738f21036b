namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Reads the protobuf body of <c>/v1/traces</c> by the numbers of its fields (docs/reference/datadog.md §5.2).
/// </summary>
internal sealed class TraceProtobuf
{
    private readonly ThingCount _things = new("spans, attributes, values, events and links");
    private readonly AttributeProtobuf _attributes;

    private TraceProtobuf() => _attributes = new AttributeProtobuf(_things);

    /// <exception cref="ApiError">400: not such a message, or a bad id. 413: too many things in it.</exception>
    public static List<IncomingSpan> Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return new TraceProtobuf().ReadRequest(body);
        }
        catch (InvalidDataException e)
        {
            throw ApiError.BadRequest($"Unable to parse the protobuf payload: {e.Message}");
        }
    }

    private List<IncomingSpan> ReadRequest(ReadOnlySpan<byte> body)
    {
        var spans = new List<IncomingSpan>();
        var reader = new ProtobufReader(body);
        for (var index = 0; reader.Next(); )
        {
            if (reader.Field is (1, ProtobufReader.Delimited))
            {
                _things.Add();
                ReadResourceSpans(reader.TakeBytes(), $"resource_spans[{index++}]", spans);
            }
            else
            {
                reader.Skip();
            }
        }
        return spans;
    }

    private void ReadResourceSpans(ReadOnlySpan<byte> message, string path, List<IncomingSpan> spans)
    {
        // Fields may come in any order, and every span has to know what sent it.
        var resource = new List<SpanAttribute>();
        var first = new ProtobufReader(message);
        while (first.Next())
        {
            if (first.Field is (1, ProtobufReader.Delimited))
            {
                _attributes.ReadAll(first.TakeBytes(), 1, resource);
            }
            else
            {
                first.Skip();
            }
        }
        SpanAttribute[] shared = [.. resource];
        var reader = new ProtobufReader(message);
        for (var index = 0; reader.Next(); )
        {
            if (reader.Field is (2, ProtobufReader.Delimited))
            {
                _things.Add();
                ReadScopeSpans(reader.TakeBytes(), $"{path}.scope_spans[{index++}]", shared, spans);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadScopeSpans(
        ReadOnlySpan<byte> message,
        string path,
        SpanAttribute[] resource,
        List<IncomingSpan> spans
    )
    {
        var reader = new ProtobufReader(message);
        for (var index = 0; reader.Next(); )
        {
            if (reader.Field is (2, ProtobufReader.Delimited))
            {
                _things.Add();
                var span = new IncomingSpan { Path = $"{path}.spans[{index++}]", Resource = resource };
                ReadSpan(reader.TakeBytes(), span);
                spans.Add(span);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadSpan(ReadOnlySpan<byte> message, IncomingSpan span)
    {
        (span.TraceId, span.SpanId) = ReadIds(message, span.Path);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (4, ProtobufReader.Delimited):
                    span.ParentId = SpanIds.Parent(reader.TakeBytes(), $"{span.Path}.parent_span_id");
                    break;
                case (5, ProtobufReader.Delimited):
                    span.Name = reader.TakeText();
                    break;
                case (6, ProtobufReader.Varint):
                    span.Kind = KindOf(reader.TakeVarint(), span.Path);
                    break;
                case (7, ProtobufReader.EightBytes):
                    span.Start = reader.TakeFixed64();
                    break;
                case (8, ProtobufReader.EightBytes):
                    span.End = reader.TakeFixed64();
                    break;
                case (9, ProtobufReader.Delimited):
                    span.Attributes.Add(_attributes.Read(reader.TakeBytes()));
                    break;
                case (11, ProtobufReader.Delimited):
                    ReadEvent(reader.TakeBytes(), span);
                    break;
                case (13, ProtobufReader.Delimited):
                    span.Links.Add(ReadLink(reader.TakeBytes(), $"{span.Path}.links[{span.Links.Count}]"));
                    break;
                case (15, ProtobufReader.Delimited):
                    ReadStatus(reader.TakeBytes(), span);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static SpanKind KindOf(ulong kind, string path) =>
        kind <= (ulong)SpanKind.Consumer
            ? (SpanKind)kind
            : throw ApiError.BadRequest($"{path}.kind: {kind} is not a kind; 0 to 5 are");

    private void ReadEvent(ReadOnlySpan<byte> message, IncomingSpan span)
    {
        _things.Add();
        var name = "";
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field is (2, ProtobufReader.Delimited))
            {
                name = reader.TakeText();
            }
            else
            {
                reader.Skip();
            }
        }
        if (name == "exception" && span.Exception.Count == 0)
        {
            _attributes.ReadAll(message, 3, span.Exception);
        }
    }

    private SpanLink ReadLink(ReadOnlySpan<byte> message, string path)
    {
        _things.Add();
        var (traceId, spanId) = ReadIds(message, path);
        return new SpanLink(traceId, spanId);
    }

    /// <summary>The two ids that a span and a link have under the same numbers.</summary>
    private static (UInt128 TraceId, ulong SpanId) ReadIds(ReadOnlySpan<byte> message, string path)
    {
        ReadOnlySpan<byte> traceId = [];
        ReadOnlySpan<byte> spanId = [];
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    traceId = reader.TakeBytes();
                    break;
                case (2, ProtobufReader.Delimited):
                    spanId = reader.TakeBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return (SpanIds.Trace(traceId, $"{path}.trace_id"), SpanIds.Span(spanId, $"{path}.span_id"));
    }

    private static void ReadStatus(ReadOnlySpan<byte> message, IncomingSpan span)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (2, ProtobufReader.Delimited):
                    span.StatusMessage = reader.TakeText();
                    break;
                case (3, ProtobufReader.Varint):
                    span.IsError = reader.TakeVarint() == 2;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }
}
