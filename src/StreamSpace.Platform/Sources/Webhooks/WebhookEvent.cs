using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using StreamSpace.Platform.Sessions;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Webhooks;

/// <summary>
/// Reads one event in StreamSpace's webhook form (docs/reference/streamspace.md §6.3):
/// <c>{"event":…,"timestamp":…,"data":{…}}</c>, its data in the words that StreamSpace's plugins expect (§7.5).
/// </summary>
public static class WebhookEvent
{
    // Between the clocks of whoever sends and ours.
    private static readonly TimeSpan MostAhead = TimeSpan.FromMinutes(5);

    // An id is known for 48 hours from when it was first seen, and that may have been five minutes before its own time:
    // with an hour to spare for clocks that are set, no event is taken once its id may be forgotten.
    private static readonly TimeSpan Oldest = SessionExpiry.ClosedRetention - TimeSpan.FromHours(1);

    // What "Test" on StreamSpace's page of webhooks sends, whatever events the webhook is for.
    private const string Test = "webhook.test";

    private static readonly string[] Kinds =
    [
        "session.created",
        "session.started",
        "session.hibernated",
        "session.woken",
        "session.terminated",
        "session.failed",
        "session.heartbeat",
        "user.created",
        "user.deleted",
        "user.login",
        "user.logout",
    ];

    /// <summary>
    /// The observation, or the reason why there is none; neither for StreamSpace's own test of a webhook, in which there
    /// is nothing to observe. The same JSON text is the same observation, however often it comes.
    /// </summary>
    /// <param name="item">The event.</param>
    /// <param name="now">
    /// Our time. What is more than five minutes ahead of it is refused, and what is more than 47 hours old: a repeat of it
    /// could not be told from a new event any more.
    /// </param>
    public static (Observation? Seen, string? Reason) Read(JsonElement item, DateTimeOffset now)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return (null, "is not an object");
        }
        if (!JsonText.IsWhole(JsonMarshal.GetRawUtf8Value(item)))
        {
            return (null, "holds a string that is not Unicode text");
        }
        if (Text(item, "event") is not { } kind)
        {
            return (null, "event is missing: give a kind such as session.created");
        }
        if (kind == Test)
        {
            return (null, null);
        }
        if (!Kinds.Contains(kind))
        {
            var shown = kind.Length > 60 ? kind[..60] : kind;
            var nearest = NearestName.Of(shown, Kinds) is { } known ? $"; did you mean {known}?" : "";
            return (null, $"\"{shown}\" is not a known kind{nearest}");
        }
        // Without its date or its offset a time would be another one tomorrow, or elsewhere.
        if (Text(item, "timestamp") is not { } time || !Rfc3339.TryParse(time, out var at))
        {
            return (null, "timestamp must be a time in RFC 3339, such as 2026-01-02T03:04:05Z");
        }
        if (at > now + MostAhead)
        {
            return (
                null,
                $"timestamp is more than {MostAhead.TotalMinutes:0} minutes ahead of this machine's clock, {now:yyyy-MM-dd'T'HH:mm:ss'Z'}"
            );
        }
        if (at < now - Oldest)
        {
            return (
                null,
                $"timestamp is more than {Oldest.TotalHours:0} hours old: a repeat of it could not be told from a new event any more"
            );
        }
        if (!item.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
        {
            return (null, "data must be an object");
        }
        var id =
            $"http:{Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(item, WebhookJson.Default.JsonElement)))[..32]}";
        return kind.StartsWith("user.", StringComparison.Ordinal)
            ? User(kind, id, data, at)
            : Session(kind, id, data, at);
    }

    private static (Observation?, string?) User(string kind, string id, JsonElement data, DateTimeOffset at)
    {
        var user = new PlatformUser(
            Text(data, "user_id") ?? Text(data, "id"),
            Text(data, "username") ?? Text(data, "user")
        );
        if (user.Id is null && user.Name is null)
        {
            return (null, "data.username (or data.user_id) is missing");
        }
        // Who is known by one name only is known by it as both, as on NATS.
        user = new PlatformUser(user.Id ?? user.Name, user.Name ?? user.Id);
        var act = kind switch
        {
            "user.created" => UserAct.Created,
            "user.deleted" => UserAct.Deleted,
            "user.login" => UserAct.LoggedIn,
            _ => UserAct.LoggedOut,
        };
        return (new UserActed(id, act, user, at), null);
    }

    private static (Observation?, string?) Session(string kind, string id, JsonElement data, DateTimeOffset at)
    {
        if ((Text(data, "session_id") ?? Text(data, "id")) is not { Length: > 0 } session)
        {
            return (null, "data.id (or data.session_id) is missing: the session's id");
        }
        SessionObservation? seen = kind switch
        {
            "session.created" => new CreateRequested(session, at),
            "session.heartbeat" => Usage(session, data, at),
            "session.hibernated" => new StatusReported(session, at, ReportedStatus.Hibernated),
            "session.terminated" => new StatusReported(session, at, ReportedStatus.Ended),
            "session.failed" => new StatusReported(session, at, ReportedStatus.Failed, Text(data, "message")),
            _ => new StatusReported(session, at, ReportedStatus.Running),
        };
        if (seen is null)
        {
            return (null, "data needs at least one of cpu_usage, memory_usage, storage_usage: numbers, zero or more");
        }
        var user = Text(data, "user_id") ?? Text(data, "user");
        return (
            seen with
            {
                MessageId = id,
                User = user is null ? PlatformUser.Unknown : new PlatformUser(user, Text(data, "username") ?? user),
                Template = Text(data, "template_name") ?? Text(data, "template"),
                Platform = Text(data, "platform"),
            },
            null
        );
    }

    private static UsageMeasured? Usage(string session, JsonElement data, DateTimeOffset at)
    {
        var (cpu, memory, storage) = (
            Number(data, "cpu_usage"),
            Number(data, "memory_usage"),
            Number(data, "storage_usage")
        );
        return cpu is null && memory is null && storage is null
            ? null
            : new UsageMeasured(session, at, cpu, memory, storage);
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? Names.Of(value.GetString())
            : null;

    private static double? Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && double.IsFinite(number)
        && number >= 0
            ? number
            : null;
}
