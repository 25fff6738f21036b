using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Reads the protobuf body of <c>/v1/traces</c> by the numbers of its fields (docs/reference/datadog.md §5.2). An empty
/// message takes two bytes on the wire and a hundred in memory, so that things are counted while they are read.
/// </summary>
internal ref struct TraceProtobuf
{
    /// <summary>How many spans, attributes, values, events and links a body may hold.</summary>
    public const int MaxThings = 1_000_000;

    private const int MaxValueDepth = 32;

    private static readonly JsonSerializerOptions ValueOptions = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private int _things;

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
                Count();
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
                ReadAttributes(first.TakeBytes(), 1, resource);
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
                Count();
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
                Count();
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
                    span.Attributes.Add(ReadAttribute(reader.TakeBytes()));
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
        span.TraceId = SpanIds.Trace(traceId, $"{span.Path}.trace_id");
        span.SpanId = SpanIds.Span(spanId, $"{span.Path}.span_id");
    }

    private static SpanKind KindOf(ulong kind, string path) =>
        kind <= (ulong)SpanKind.Consumer
            ? (SpanKind)kind
            : throw ApiError.BadRequest($"{path}.kind: {kind} is not a kind; 0 to 5 are");

    private void ReadEvent(ReadOnlySpan<byte> message, IncomingSpan span)
    {
        Count();
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
            ReadAttributes(message, 3, span.Exception);
        }
    }

    private SpanLink ReadLink(ReadOnlySpan<byte> message, string path)
    {
        Count();
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
        return new SpanLink(SpanIds.Trace(traceId, $"{path}.trace_id"), SpanIds.Span(spanId, $"{path}.span_id"));
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

    /// <summary>The attributes that a message has under a number.</summary>
    private void ReadAttributes(ReadOnlySpan<byte> message, int field, List<SpanAttribute> attributes)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == (field, ProtobufReader.Delimited))
            {
                attributes.Add(ReadAttribute(reader.TakeBytes()));
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private SpanAttribute ReadAttribute(ReadOnlySpan<byte> message)
    {
        Count();
        var key = ReadPair(message, out var value);
        return new SpanAttribute(key, ReadValue(value));
    }

    /// <returns>The key; its value is still to be read.</returns>
    private static string ReadPair(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> value)
    {
        var key = "";
        value = [];
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    key = reader.TakeText();
                    break;
                case (2, ProtobufReader.Delimited):
                    value = reader.TakeBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return key;
    }

    private object ReadValue(ReadOnlySpan<byte> message)
    {
        object value = "";
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    value = reader.TakeText();
                    break;
                case (2, ProtobufReader.Varint):
                    value = reader.TakeVarint() != 0;
                    break;
                case (3, ProtobufReader.Varint):
                    value = (long)reader.TakeVarint();
                    break;
                case (4, ProtobufReader.EightBytes):
                    value = reader.TakeDouble();
                    break;
                case (5 or 6, ProtobufReader.Delimited):
                    var isMap = reader.Field.Number == 6;
                    value = JsonOf(reader.TakeBytes(), isMap);
                    break;
                case (7, ProtobufReader.Delimited):
                    value = Convert.ToBase64String(reader.TakeBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return value;
    }

    private string JsonOf(ReadOnlySpan<byte> message, bool isMap)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            WriteMany(json, message, isMap, 1);
        }
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private void WriteMany(Utf8JsonWriter json, ReadOnlySpan<byte> message, bool isMap, int depth)
    {
        if (depth > MaxValueDepth)
        {
            throw new InvalidDataException($"a value is nested more than {MaxValueDepth} deep");
        }
        if (isMap)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartArray();
        }
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field is not (1, ProtobufReader.Delimited))
            {
                reader.Skip();
                continue;
            }
            Count();
            var value = reader.TakeBytes();
            if (isMap)
            {
                json.WritePropertyName(ReadPair(value, out value));
            }
            WriteValue(json, value, depth);
        }
        if (isMap)
        {
            json.WriteEndObject();
        }
        else
        {
            json.WriteEndArray();
        }
    }

    private void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> message, int depth)
    {
        var reader = new ProtobufReader(message);
        if (reader.Next() && reader.Field is (5 or 6, ProtobufReader.Delimited))
        {
            var isMap = reader.Field.Number == 6;
            WriteMany(json, reader.TakeBytes(), isMap, depth + 1);
            return;
        }
        JsonSerializer.Serialize(json, ReadValue(message), ValueOptions);
    }

    private void Count()
    {
        if (++_things > MaxThings)
        {
            throw ApiError.TooMany("spans, attributes, values, events and links", MaxThings);
        }
    }
}
