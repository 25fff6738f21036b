using Google.Protobuf;
using OpenTelemetry.Proto.Collector.Trace.V1;
using OpenTelemetry.Proto.Common.V1;
using OpenTelemetry.Proto.Trace.V1;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Looks at the spans of a run, as a reader of OTLP that the library has no part in reads them.</summary>
public sealed class SpanCheck(Action<bool, string> require)
{
    private const int MaxRaw = 15 * 1024 * 1024;

    private readonly Dictionary<(ByteString Trace, ByteString Span), OtlpSpan> _seen = [];

    /// <summary>Reads a request.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static ExportTraceServiceRequest Read(byte[] raw)
    {
        try
        {
            return ExportTraceServiceRequest.Parser.ParseFrom(raw);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new FormatException(error.Message, error);
        }
    }

    public void Look(byte[] raw, DateTimeOffset received)
    {
        require(raw.Length <= MaxRaw, $"{raw.Length} bytes of spans, the limit is {MaxRaw}");
        var request = Read(raw);
        // What a message does not have is kept by its reader, and counts.
        var known = ExportTraceServiceRequest.Parser.WithDiscardUnknownFields(true).ParseFrom(raw);
        require(known.CalculateSize() == request.CalculateSize(), "a request has fields that OTLP does not know");
        foreach (var resource in request.ResourceSpans)
        {
            LookAtAttributes("a resource", resource.Resource.Attributes);
            require(resource.Resource.Attributes.Any(a => a.Key == "service.name"), "a resource names no service");
            require(resource.Resource.Attributes.Any(a => a.Key == "host.name"), "a resource names no host");
            foreach (var span in resource.ScopeSpans.SelectMany(scope => scope.Spans))
            {
                LookAt(span, received);
            }
        }
    }

    private void LookAt(OtlpSpan span, DateTimeOffset received)
    {
        IsId(span.TraceId, 16, "trace id");
        IsId(span.SpanId, 8, "span id");
        if (span.ParentSpanId.Length > 0)
        {
            IsId(span.ParentSpanId, 8, "parent id");
        }

        require(span.ParentSpanId != span.SpanId, $"{span.Name} is its own parent");
        require(span.Name.Length is > 0 and <= 100, $"a span's name has {span.Name.Length} characters");
        require(span.Kind != OtlpSpan.Types.SpanKind.Unspecified, $"{span.Name} has no kind");
        require(span.StartTimeUnixNano <= span.EndTimeUnixNano, $"{span.Name} ends before it begins");
        var start = At(span.StartTimeUnixNano);
        require(received - start <= TimeSpan.FromHours(18) + TimeSpan.FromSeconds(1), $"{span.Name} began at {start}");
        var end = At(span.EndTimeUnixNano);
        require(end - received <= TimeSpan.FromHours(2), $"{span.Name} ends at {end}");
        LookAtAttributes(span.Name, span.Attributes);
        foreach (var name in new[] { "operation.name", "resource.name", "span.type" })
        {
            require(
                span.Attributes.Any(a => a.Key == name && a.Value.StringValue.Length > 0),
                $"{span.Name}: no {name}"
            );
        }
        foreach (var link in span.Links)
        {
            IsId(link.TraceId, 16, "link's trace id");
            IsId(link.SpanId, 8, "link's span id");
        }
        // The same span again is a resend.
        require(
            _seen.TryAdd((span.TraceId, span.SpanId), span) || _seen[(span.TraceId, span.SpanId)].Equals(span),
            $"{span.Name}: two spans have the id {Convert.ToHexStringLower(span.SpanId.Span)}"
        );
    }

    private void LookAtAttributes(string of, IReadOnlyCollection<KeyValue> attributes)
    {
        require(attributes.Count <= 1_024, $"{of} has {attributes.Count} attributes");
        require(attributes.Select(a => a.Key).Distinct().Count() == attributes.Count, $"{of} has an attribute twice");
        foreach (var attribute in attributes)
        {
            require(attribute.Key.Length is > 0 and <= 200, $"{of}: an attribute's name has {attribute.Key.Length}");
            require(attribute.Value.StringValue.Length <= 25_000, $"{of}: {attribute.Key} is too long");
            require(attribute.Value.ValueCase != AnyValue.ValueOneofCase.None, $"{of}: {attribute.Key} has no value");
            require(double.IsFinite(attribute.Value.DoubleValue), $"{of}: {attribute.Key} is not finite");
        }
    }

    private void IsId(ByteString id, int length, string what) =>
        require(id.Length == length && id.Any(b => b != 0), $"a {what} is {Convert.ToHexStringLower(id.Span)}");

    private static DateTimeOffset At(ulong nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick));
}
