using System.Collections.Frozen;

namespace AgentlessDatadog.Signals.Traces;

/// <summary>
/// Encodes a span as OTLP's <c>Span</c>, in the field that it has within <c>ScopeSpans</c> (docs/reference/datadog.md §5.2).
/// Operation, resource, type and service are written as attributes of their own, so that no default of Datadog's matters.
/// Belongs to one thread.
/// </summary>
internal sealed class SpanEncoder
{
    private const int MaxAttributes = 1_000;
    private const int MaxCharacters = 500_000;
    private const int MaxLinks = 100;
    private const int MaxName = 100;
    private const int MaxResource = 5_000;
    private const int MaxStack = 25_000;
    private const ulong IsError = 2;

    private static readonly FrozenSet<string> OwnNames = FrozenSet.Create(
        StringComparer.Ordinal,
        ["operation.name", "resource.name", "span.type", "service.name", "error.type", "error.message", "error.stack"]
    );

    private readonly ProtobufWriter _to = new();
    private readonly SecretFilter _secrets;
    private readonly AttributeReader _attributes;

    public SpanEncoder(TelemetryOptions options)
    {
        _secrets = new SecretFilter(options.ApiKey);
        _attributes = new AttributeReader(MaxAttributes, MaxCharacters, _secrets);
    }

    public EncodedSignal Encode(Span span)
    {
        _to.Reset();
        var field = _to.Begin(SpanWire.Spans);
        var name = Truncation.Cut(_secrets.Filter(span.Name.ToString()), MaxName);
        _to.Id(SpanWire.TraceId, span.TraceId);
        _to.Id(SpanWire.SpanId, span.SpanId);
        if (span.ParentId != 0)
        {
            _to.Id(SpanWire.ParentId, span.ParentId);
        }

        _to.Text(SpanWire.Name, name);
        _to.Number(SpanWire.Kind, (ulong)span.Kind);
        _to.Fixed64(SpanWire.Start, NanosecondsOf(span.Start));
        _to.Fixed64(SpanWire.End, NanosecondsOf(span.Start + span.Duration));
        Write("operation.name", name);
        var resource = span.Resource?.ToString();
        Write(
            "resource.name",
            string.IsNullOrWhiteSpace(resource) ? name : Truncation.Cut(_secrets.Filter(resource), MaxResource)
        );
        Write("span.type", Truncation.Cut(span.Type, MaxName));
        if (span.Service is { } service)
        {
            Write("service.name", Truncation.Cut(service, MaxName));
        }

        foreach (var (key, value) in _attributes.Read(span.Attributes))
        {
            // What is Datadog's own name for something else.
            Write(OwnNames.Contains(key) ? $"attributes.{key}" : key, value);
        }
        if (span.Error is { } error)
        {
            Write(error);
        }

        if (_attributes.Dropped > 0)
        {
            _to.Number(SpanWire.DroppedAttributes, (ulong)_attributes.Dropped);
        }

        WriteLinks(span.Links);
        if (span.Error is not null)
        {
            WriteStatus(span.Error);
        }

        _to.End(field);
        return new EncodedSignal(Lane.Traces, span.Start, _to.Written.ToArray());
    }

    private void Write(ErrorDetails error)
    {
        Write("error.type", Truncation.Cut(error.Kind, MaxName * 2));
        Write("error.message", Text(error.Message.ToString()));
        if (error.Stack is { } stack)
        {
            Write("error.stack", Text(stack));
        }
    }

    private void WriteStatus(ErrorDetails error)
    {
        var status = _to.Begin(SpanWire.Status);
        _to.Text(SpanWire.StatusMessage, Text(error.Message.ToString()));
        _to.Number(SpanWire.StatusCode, IsError);
        _to.End(status);
    }

    private void WriteLinks(IReadOnlyList<SpanLink> links)
    {
        foreach (var (traceId, spanId) in links.Where(link => link.TraceId != 0 && link.SpanId != 0).Take(MaxLinks))
        {
            var link = _to.Begin(SpanWire.Links);
            _to.Id(SpanWire.LinkTraceId, traceId);
            _to.Id(SpanWire.LinkSpanId, spanId);
            _to.End(link);
        }
    }

    private void Write(string key, object value) => SpanWire.WriteAttribute(_to, SpanWire.Attributes, key, value);

    private string Text(string text) => _secrets.Filter(Truncation.CutWithMark(text, MaxStack));

    private static ulong NanosecondsOf(DateTimeOffset at) =>
        (ulong)(at - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
