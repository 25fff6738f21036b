using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NATS.Client.Core;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>A message as StreamSpace publishes it.</summary>
/// <param name="Subject">The generic subject.</param>
/// <param name="Copy">The platform subject on which the API publishes the same bytes again, or null.</param>
/// <param name="Body">JSON as Go writes it.</param>
public sealed record UpstreamMessage(string Subject, string? Copy, byte[] Body)
{
    /// <summary>Publishes it as upstream does: the generic subject first, then the copy.</summary>
    public async Task PublishAsync(INatsConnection client)
    {
        await client.PublishAsync(Subject, Body);
        if (Copy is not null)
        {
            await client.PublishAsync(Copy, Body);
        }
    }
}

/// <summary>
/// Writes StreamSpace's session messages in the shape of docs/reference/streamspace.md §4.2. Event ids follow from a
/// seed; every call has a new one.
/// </summary>
public sealed class UpstreamMessages(int seed, string platform = "kubernetes", TimeSpan offset = default)
{
    private readonly Random _random = new(seed);

    /// <summary>What the API says when a session is asked for.</summary>
    public UpstreamMessage Create(string session, string user, string template, DateTimeOffset at) =>
        FromApi(
            "create",
            at,
            session,
            user,
            ("template_id", template),
            ("platform", platform),
            ("resources", new JsonObject { ["memory"] = "2Gi", ["cpu"] = "1000m" }),
            ("persistent_home", true),
            ("idle_timeout", ""),
            (
                "template_config",
                new JsonObject
                {
                    ["image"] = "registry.example/chrome:1",
                    ["vnc_port"] = 3000,
                    ["env"] = new JsonObject { ["TOKEN"] = "secret-in-an-env" },
                }
            )
        );

    /// <summary>What the API says when a session is to be deleted.</summary>
    public UpstreamMessage Delete(string session, string user, DateTimeOffset at) =>
        FromApi("delete", at, session, user, ("platform", platform), ("force", false));

    /// <summary>What the API says when a session is to sleep.</summary>
    public UpstreamMessage Hibernate(string session, string user, DateTimeOffset at) =>
        FromApi("hibernate", at, session, user, ("platform", platform));

    /// <summary>What the API says when a session is to wake.</summary>
    public UpstreamMessage Wake(string session, string user, DateTimeOffset at) =>
        FromApi("wake", at, session, user, ("platform", platform));

    /// <summary>What the Kubernetes controller says, again and again.</summary>
    /// <param name="session">The session id.</param>
    /// <param name="phase"><c>Running</c>, <c>Hibernated</c> …</param>
    /// <param name="at">When.</param>
    public UpstreamMessage Status(string session, string phase, DateTimeOffset at) =>
        Message(
            "status",
            copied: false,
            at,
            ("session_id", session),
            ("status", phase.ToLowerInvariant()),
            ("phase", phase),
            ("url", phase == "Running" ? $"https://{session}.streamspace.local" : null),
            ("pod_name", phase == "Running" ? $"ss-{session}" : null),
            ("controller_id", "streamspace-kubernetes-controller-1")
        );

    /// <summary>What the Kubernetes controller says when a session cannot be made: an empty phase.</summary>
    public UpstreamMessage CreationFailed(string session, string message, DateTimeOffset at) =>
        Message(
            "status",
            copied: false,
            at,
            ("session_id", session),
            ("status", "failed"),
            ("phase", ""),
            ("message", message),
            ("controller_id", "streamspace-kubernetes-controller-1")
        );

    /// <summary>What the Docker controller says: no phase at all.</summary>
    /// <param name="session">The session id.</param>
    /// <param name="status"><c>running</c>, <c>hibernated</c>, <c>failed</c>, <c>deleted</c>.</param>
    /// <param name="at">When.</param>
    public UpstreamMessage DockerStatus(string session, string status, DateTimeOffset at) =>
        Message(
            "status",
            copied: false,
            at,
            ("session_id", session),
            ("status", status),
            ("controller_id", "streamspace-docker-controller-1")
        );

    /// <summary>A time as Go writes it: up to nine fraction digits, none when zero, and the writer's offset.</summary>
    public static string Rfc3339(DateTimeOffset at, int nanoseconds = 0)
    {
        var fraction = ((at.Ticks % TimeSpan.TicksPerSecond * 100) + nanoseconds).ToString(
            "000000000",
            CultureInfo.InvariantCulture
        );
        fraction = fraction.TrimEnd('0');
        return at.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)
            + (fraction.Length > 0 ? $".{fraction}" : "")
            + (at.Offset == TimeSpan.Zero ? "Z" : at.ToString("zzz", CultureInfo.InvariantCulture));
    }

    private UpstreamMessage FromApi(
        string kind,
        DateTimeOffset at,
        string session,
        string user,
        params (string, JsonNode?)[] more
    ) => Message(kind, copied: true, at, [("session_id", session), ("user_id", user), .. more]);

    private UpstreamMessage Message(string kind, bool copied, DateTimeOffset at, params (string, JsonNode?)[] members)
    {
        var id = new byte[16];
        _random.NextBytes(id);
        var body = new JsonObject
        {
            ["event_id"] = new Guid(id).ToString(),
            ["timestamp"] = Rfc3339(at.ToOffset(offset), _random.Next(100)),
        };
        foreach (var (name, value) in members)
        {
            if (value is not null)
            {
                body[name] = value;
            }
        }
        var subject = $"streamspace.session.{kind}";
        // The default encoder writes &, < and > as \u escapes, and so does Go's.
        var text = body.ToJsonString(JsonSerializerOptions.Default);
        return new UpstreamMessage(subject, copied ? $"{subject}.{platform}" : null, Encoding.UTF8.GetBytes(text));
    }
}
