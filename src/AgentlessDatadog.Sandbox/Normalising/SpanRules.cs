using AgentlessDatadog.Sandbox.Intake;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>
/// Makes of OTLP's spans what Datadog keeps of them (docs/reference/datadog.md §5.3): what becomes of resource and
/// attributes, and what is too old, too new, too long or too much.
/// </summary>
internal sealed class SpanRules(DateTimeOffset now)
{
    private const int MaxName = 100;
    private const int MaxResource = 5_000;
    private const int MaxKey = 200;
    private const int MaxValue = 25_000;
    private const int MaxAttributes = 1_024;
    private const long NanosecondsPerSecond = 1_000_000_000;

    // What an object and its fields take besides its text and its attributes.
    private const long SpanBytes = 320;
    private const long AttributeBytes = 96;

    private readonly Dictionary<SpanAttribute[], SpanAttribute[]> _resources = [];
    private readonly List<DroppedItem> _dropped = [];

    /// <summary>What is to be listed: spans out of the window, and what was taken away from others.</summary>
    public IReadOnlyList<DroppedItem> Dropped => _dropped;

    /// <summary>How many of the spans are not kept at all.</summary>
    public int Rejected { get; private set; }

    /// <returns>The spans that are kept.</returns>
    /// <exception cref="ApiError">400: a span has no name.</exception>
    public List<StoredSpan> Apply(List<IncomingSpan> incoming)
    {
        if (incoming.Find(span => span.Name.Length == 0) is { } nameless)
        {
            throw ApiError.BadRequest($"{nameless.Path}.name: a span must have a name");
        }
        var kept = new List<StoredSpan>(incoming.Count);
        foreach (var span in incoming)
        {
            if (OutsideWindow(span) is { } reason)
            {
                Rejected++;
                Drop(reason, span, reason == DropReason.TooOld ? "more than 18 h in the past" : "more than 2 h ahead");
            }
            else
            {
                kept.Add(Store(span));
            }
        }
        CountShared(kept);
        return kept;
    }

    // What spans share goes with the last of them, and the oldest go first.
    private static void CountShared(List<StoredSpan> spans)
    {
        var counted = new HashSet<SpanAttribute[]>();
        for (var i = spans.Count - 1; i >= 0; i--)
        {
            if (counted.Add(spans[i].ResourceAttributes))
            {
                spans[i].Bytes += spans[i].ResourceAttributes.Sum(SizeOf);
            }
        }
    }

    private DropReason? OutsideWindow(IncomingSpan span)
    {
        var second = now.ToUnixTimeSeconds();
        if ((long)(span.Start / NanosecondsPerSecond) < second - TimeWindow.EventPast)
        {
            return DropReason.TooOld;
        }
        var last = (long)(Math.Max(span.Start, span.End) / NanosecondsPerSecond);
        return last > second + TimeWindow.EventFuture ? DropReason.TooNew : null;
    }

    private StoredSpan Store(IncomingSpan span)
    {
        if (!_resources.TryGetValue(span.Resource, out var resource))
        {
            resource = Bounded(span, span.Resource);
            _resources.Add(span.Resource, resource);
        }
        var attributes = Bounded(span, Complete(span));
        string? Find(string key) => TextOf(attributes, key) ?? TextOf(resource, key);

        var operation = NameRules.Operation(
            Shortened(span, TextOf(attributes, "operation.name") ?? span.Name, MaxName)
        );
        var service = NameRules.Service(Shortened(span, Find("service.name") ?? "", MaxName));
        return new StoredSpan
        {
            TraceId = span.TraceId,
            SpanId = span.SpanId,
            ParentId = span.ParentId == span.SpanId ? 0 : span.ParentId,
            Operation = operation ?? "unnamed_operation",
            Resource = Shortened(span, TextOf(attributes, "resource.name") ?? span.Name, MaxResource),
            Service = service.Length > 0 ? service : "unnamed-service",
            Env = Find("deployment.environment.name") ?? Find("deployment.environment") ?? "none",
            Version = Find("service.version") ?? "",
            Host = Find("host.name") ?? "",
            Type = Shortened(span, TextOf(attributes, "span.type") ?? TypeOf(span.Kind), MaxName),
            Kind = span.Kind,
            Start = (long)span.Start,
            Duration = span.End > span.Start ? (long)(span.End - span.Start) : 0,
            IsError = span.IsError,
            Attributes = attributes,
            ResourceAttributes = resource,
            Links = [.. span.Links],
            Bytes = SpanBytes + (32L * span.Links.Count) + attributes.Sum(SizeOf),
        };
    }

    private static long SizeOf(SpanAttribute attribute) =>
        AttributeBytes + (2L * (attribute.Key.Length + ((attribute.Value as string)?.Length ?? 0)));

    /// <summary>The span's own attributes, with its kind and what went wrong among them.</summary>
    private static List<SpanAttribute> Complete(IncomingSpan span)
    {
        var attributes = span.Attributes;
        AddUnlessThere("span.kind", span.Kind == SpanKind.Unspecified ? "internal" : NameOf(span.Kind));
        if (span.IsError)
        {
            AddUnlessThere("error.type", TextOf(span.Exception, "exception.type"));
            AddUnlessThere(
                "error.message",
                TextOf(span.Exception, "exception.message") is { Length: > 0 } message ? message : span.StatusMessage
            );
            AddUnlessThere("error.stack", TextOf(span.Exception, "exception.stacktrace"));
        }
        return attributes;

        void AddUnlessThere(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value) && TextOf(attributes, key) is null)
            {
                attributes.Add(new SpanAttribute(key, value));
            }
        }
    }

    /// <summary>Each key once, the last value of it; keys and values shortened; no more than may be.</summary>
    private SpanAttribute[] Bounded(IncomingSpan span, IReadOnlyList<SpanAttribute> attributes)
    {
        var bounded = new Dictionary<string, object>(Math.Min(attributes.Count, MaxAttributes), StringComparer.Ordinal);
        var beyond = 0;
        foreach (var (key, value) in attributes)
        {
            var name = Shortened(span, key, MaxKey);
            if (bounded.Count < MaxAttributes || bounded.ContainsKey(name))
            {
                bounded[name] = value is string text ? Shortened(span, text, MaxValue) : value;
            }
            else
            {
                beyond++;
            }
        }
        if (beyond > 0)
        {
            Drop(DropReason.TooManyAttributes, span, $"{beyond} beyond {MaxAttributes}");
        }
        return [.. bounded.Select(pair => new SpanAttribute(pair.Key, pair.Value))];
    }

    private string Shortened(IncomingSpan span, string text, int max)
    {
        if (text.Length <= max)
        {
            return text;
        }
        Drop(
            DropReason.Truncated,
            span,
            $"from {text.Length} to {max} characters: {text.Truncate(Math.Min(max, 40))}…"
        );
        return text.Truncate(max);
    }

    private void Drop(DropReason reason, IncomingSpan span, string detail)
    {
        _dropped.Add(
            new DroppedItem(
                now,
                reason,
                "span",
                $"{span.Name.Truncate(MaxName)}: {detail}",
                Timestamp: (long)(span.Start / NanosecondsPerSecond)
            )
        );
    }

    private static string? TextOf(IEnumerable<SpanAttribute> attributes, string key)
    {
        foreach (var (name, value) in attributes)
        {
            if (name == key)
            {
                return StoredSpan.TextOf(value);
            }
        }
        return null;
    }

    private static string NameOf(SpanKind kind) =>
        kind switch
        {
            SpanKind.Server => "server",
            SpanKind.Client => "client",
            SpanKind.Producer => "producer",
            SpanKind.Consumer => "consumer",
            _ => "internal",
        };

    private static string TypeOf(SpanKind kind) =>
        kind switch
        {
            SpanKind.Server => "web",
            SpanKind.Client => "http",
            _ => "custom",
        };
}
