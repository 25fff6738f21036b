namespace AgentlessDatadog.Signals.Traces;

/// <summary>What Datadog takes of a span (docs/reference/datadog.md §5.2, §5.3).</summary>
internal static class SpanRules
{
    /// <summary>Why a span can never be sent, or null. What is too long is cut off, not judged.</summary>
    public static string? Error(Span span, DateTimeOffset now)
    {
        if (span.TraceId == 0)
        {
            return "trace id is 0";
        }

        if (span.SpanId == 0)
        {
            return "span id is 0";
        }

        if (span.ParentId == span.SpanId)
        {
            return "it is its own parent";
        }

        if (string.IsNullOrWhiteSpace(span.Name.ToString()))
        {
            return "name is empty";
        }

        if (!Enum.IsDefined(span.Kind))
        {
            return "kind must be internal, server, client, producer or consumer";
        }

        if (span.Duration < TimeSpan.Zero)
        {
            return "it ends before it begins";
        }

        if (now - span.Start > Lane.Traces.MaxAge)
        {
            return "it began more than 18 h ago";
        }

        return span.Duration > now + Lane.Traces.MaxAhead - span.Start ? "it ends more than 2 h ahead" : null;
    }
}
