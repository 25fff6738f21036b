using System.Buffers;
using System.Text.Json;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Nats;

/// <summary>Why a message is skipped.</summary>
/// <param name="Kind">A short word: the key under which it is counted.</param>
/// <param name="Reason">What is wrong, without anything of the message: it may hold secrets.</param>
internal sealed record MessageError(string Kind, string Reason)
{
    public static readonly MessageError NotJson = new("not-json", "is not a JSON object");
    public static readonly MessageError TooLarge = new("too-large", $"is larger than {SessionMessage.MaxBytes} bytes");
    public static readonly MessageError TooDeep = new("too-deep", $"is nested deeper than {SessionMessage.MaxDepth}");
    public static readonly MessageError SessionId = new(
        "session-id",
        $"has no session_id of 1 to {Names.Longest} characters"
    );
    public static readonly MessageError Timestamp = new(
        "timestamp",
        "has no timestamp that is RFC 3339 and near our time"
    );
    public static readonly MessageError Status = new(
        "status",
        "has neither phase nor status of running, hibernated, failed, terminated or deleted"
    );
}

/// <summary>
/// Reads the bodies of StreamSpace's session messages (docs/reference/streamspace.md §4.2). Of each it keeps the few
/// members that say what happened; <c>template_config</c>, which may hold secrets, is passed over unread.
/// </summary>
internal static class SessionMessage
{
    public const int MaxBytes = 256 * 1024;
    public const int MaxDepth = 32;
    private const int MaxText = 1024;

    // A time far ahead would outrank every true one that follows; a time before the product is no time.
    private static readonly TimeSpan MaxAhead = TimeSpan.FromDays(1);
    private const int FirstYear = 2020;

    /// <summary>Reads one message; exactly one of the results is null.</summary>
    /// <param name="subject">One of <see cref="SessionSubjects.All"/>.</param>
    /// <param name="body">The message's bytes.</param>
    /// <param name="now">Our time.</param>
    public static (SessionObservation? Seen, MessageError? Error) Read(
        string subject,
        ReadOnlySequence<byte> body,
        DateTimeOffset now
    )
    {
        if (body.Length > MaxBytes)
        {
            return (null, MessageError.TooLarge);
        }
        var members = new Members();
        if (ReadMembers(body, members) is { } error)
        {
            return (null, error);
        }
        if (Names.Of(members.SessionId) is not { } sessionId)
        {
            return (null, MessageError.SessionId);
        }
        if (
            members.Timestamp is null
            || !Rfc3339.TryParse(members.Timestamp, out var at)
            || at.Year < FirstYear
            || at > now + MaxAhead
        )
        {
            return (null, MessageError.Timestamp);
        }
        return Observe(subject, sessionId, at, members) is { } seen
            ? (
                seen with
                {
                    MessageId = Names.Of(members.EventId),
                    User = new PlatformUser(Names.Of(members.UserId), Names.Of(members.UserId)),
                    Template = Names.Of(members.TemplateId),
                    Platform = Names.Of(members.Platform) ?? Controllers(subject, members),
                },
                null
            )
            : (null, MessageError.Status);
    }

    private static SessionObservation? Observe(string subject, string sessionId, DateTimeOffset at, Members members) =>
        subject switch
        {
            SessionSubjects.Create => new CreateRequested(sessionId, at),
            SessionSubjects.Delete => new DeleteRequested(sessionId, at),
            SessionSubjects.Hibernate => new HibernateRequested(sessionId, at),
            SessionSubjects.Wake => new WakeRequested(sessionId, at),
            _ => Status(string.IsNullOrEmpty(members.Phase) ? members.Status : members.Phase) is { } status
                ? new StatusReported(sessionId, at, status, TextOf(members.Message))
                : null,
        };

    // A status names no platform; only the Docker controller's has no phase at all (§4.3).
    private static string? Controllers(string subject, Members members) =>
        subject is SessionSubjects.Status && members.Phase is null ? "docker" : null;

    // The phase is absent from the Docker controller and empty when a creation failed (§4.3).
    private static ReportedStatus? Status(string? word) =>
        word?.ToUpperInvariant() switch
        {
            "RUNNING" => ReportedStatus.Running,
            "HIBERNATED" => ReportedStatus.Hibernated,
            "FAILED" => ReportedStatus.Failed,
            "TERMINATED" or "DELETED" => ReportedStatus.Ended,
            _ => null,
        };

    private static MessageError? ReadMembers(ReadOnlySequence<byte> body, Members members)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth * 2 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return MessageError.NotJson;
            }
            string? member = null;
            while (reader.Read())
            {
                // What begins here is one deeper than where it begins.
                if (
                    reader.CurrentDepth == MaxDepth
                    && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray
                )
                {
                    return MessageError.TooDeep;
                }
                if (reader.CurrentDepth != 1)
                {
                    continue;
                }
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    member = reader.GetString();
                }
                else if (reader.TokenType == JsonTokenType.String && member is not null)
                {
                    members.Take(member, ref reader);
                }
            }
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is text that is not UTF-8.
            return MessageError.NotJson;
        }
    }

    private static string? TextOf(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : text.Length <= MaxText ? text
        : text[..MaxText];

    private sealed class Members
    {
        public string? EventId { get; private set; }
        public string? Timestamp { get; private set; }
        public string? SessionId { get; private set; }
        public string? UserId { get; private set; }
        public string? TemplateId { get; private set; }
        public string? Platform { get; private set; }
        public string? Status { get; private set; }
        public string? Phase { get; private set; }
        public string? Message { get; private set; }

        public void Take(string member, ref Utf8JsonReader reader)
        {
            switch (member)
            {
                case "event_id":
                    EventId = reader.GetString();
                    break;
                case "timestamp":
                    Timestamp = reader.GetString();
                    break;
                case "session_id":
                    SessionId = reader.GetString();
                    break;
                case "user_id":
                    UserId = reader.GetString();
                    break;
                case "template_id":
                    TemplateId = reader.GetString();
                    break;
                case "platform":
                    Platform = reader.GetString();
                    break;
                case "status":
                    Status = reader.GetString();
                    break;
                case "phase":
                    Phase = reader.GetString();
                    break;
                case "message":
                    Message = reader.GetString();
                    break;
            }
        }
    }
}
