using System.Buffers.Binary;
using System.Diagnostics;

namespace AgentlessDatadog.Tracing;

/// <summary>
/// Reads a span from an activity that has ended. Operation, resource and type are worked out from OpenTelemetry's names as
/// Datadog does it (docs/reference/datadog.md §5.5).
/// </summary>
internal static class ActivityReader
{
    public static Span Read(Activity activity)
    {
        var attributes = new List<KeyValuePair<string, object?>>();
        var said = default(Attributes);
        foreach (var (name, value) in activity.EnumerateTagObjects())
        {
            var redacted = Redacted(name, value);
            attributes.Add(new(name, redacted));
            said.Look(name, redacted);
        }

        var (operation, type, resource) = MeaningOf(activity, said);
        return new Span(
            IdOf(activity.TraceId),
            IdOf(activity.SpanId),
            operation,
            new DateTimeOffset(activity.StartTimeUtc),
            activity.Duration
        )
        {
            ParentId = IdOf(activity.ParentSpanId),
            Resource = resource,
            Type = type,
            // OpenTelemetry's numbers begin with one that says nothing.
            Kind = (SpanKind)((int)activity.Kind + 1),
            Attributes = attributes,
            Links = LinksOf(activity),
            Error = ErrorOf(activity, said),
        };
    }

    public static UInt128 IdOf(ActivityTraceId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public static ulong IdOf(ActivitySpanId id)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        id.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private static (EventText Operation, string Type, EventText Resource) MeaningOf(Activity activity, Attributes said)
    {
        var name = activity.DisplayName;
        return (activity.Kind, said) switch
        {
            (ActivityKind.Server, { Method: { } method }) => (
                "http.server.request",
                "web",
                EventText.Literal(said.Route is { } route ? $"{method} {route}" : method)
            ),
            (ActivityKind.Client, { Method: { } method }) => ("http.client.request", "http", method),
            (ActivityKind.Client, { Database: { } database }) => (
                $"{database}.query",
                "sql",
                said.Statement is { Length: > 0 } statement ? EventText.Literal(statement) : name
            ),
            (_, { Messaging: { } system }) => ($"{system}.{said.Messages ?? KindOf(activity)}", "queue", name),
            _ => (KindOf(activity), "custom", name),
        };
    }

    private static string KindOf(Activity activity) =>
        activity.Kind switch
        {
            ActivityKind.Server => "server",
            ActivityKind.Client => "client",
            ActivityKind.Producer => "producer",
            ActivityKind.Consumer => "consumer",
            _ => "internal",
        };

    private static List<SpanLink> LinksOf(Activity activity)
    {
        List<SpanLink> links = [];
        foreach (ref readonly var link in activity.EnumerateLinks())
        {
            links.Add(new SpanLink(IdOf(link.Context.TraceId), IdOf(link.Context.SpanId)));
        }

        return links;
    }

    private static object? Redacted(string name, object? value) =>
        (name, value) switch
        {
            ("db.query.text" or "db.statement", string statement) => Redaction.OfStatement(statement),
            ("url.full" or "http.url" or "http.target", string address) => Redaction.OfAddress(address),
            ("url.query", _) => Redaction.Mark,
            _ => value,
        };

    private static ErrorDetails? ErrorOf(Activity activity, Attributes said)
    {
        var isServersFault = activity.Kind == ActivityKind.Server && said.Status >= 500;
        if (activity.Status != ActivityStatusCode.Error && said.ErrorType is null && !isServersFault)
        {
            return null;
        }

        var thrown = activity.Events.LastOrDefault(happened => happened.Name == "exception");
        string? Of(string name) =>
            thrown.Name is null ? null : thrown.Tags.FirstOrDefault(tag => tag.Key == name).Value?.ToString();
        var kind = Of("exception.type") ?? said.ErrorType ?? (said.Status > 0 ? $"{said.Status}" : "error");
        return new ErrorDetails(kind, Of("exception.message") ?? activity.StatusDescription ?? kind)
        {
            Stack = Of("exception.stacktrace"),
        };
    }

    /// <summary>What an activity says that decides what it is.</summary>
    private struct Attributes
    {
        public string? Method { get; private set; }

        public string? Route { get; private set; }

        public int Status { get; private set; }

        public string? Database { get; private set; }

        public string? Statement { get; private set; }

        public string? Messaging { get; private set; }

        public string? Messages { get; private set; }

        public string? ErrorType { get; private set; }

        public void Look(string name, object? value)
        {
            switch (name)
            {
                case "http.request.method" or "http.method":
                    Method = value?.ToString();
                    break;
                case "http.route":
                    Route = value?.ToString();
                    break;
                case "http.response.status_code" or "http.status_code":
                    Status = value as int? ?? 0;
                    break;
                case "db.system.name" or "db.system":
                    Database = value?.ToString();
                    break;
                case "db.query.text" or "db.statement":
                    Statement = value?.ToString();
                    break;
                case "messaging.system":
                    Messaging = value?.ToString();
                    break;
                case "messaging.operation.type" or "messaging.operation":
                    Messages = value?.ToString();
                    break;
                case "error.type":
                    ErrorType = value?.ToString();
                    break;
            }
        }
    }
}
