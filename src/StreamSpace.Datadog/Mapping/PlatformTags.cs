using System.Security.Cryptography;
using System.Text;
using AgentlessDatadog.Signals;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// What sessions, users and templates are to Datadog: their tags, in the one form in which Datadog tells series apart. What
/// differs by name and is one here is one series. What is unknown is left out, and what is on everything anyway as well.
/// </summary>
internal sealed class PlatformTags(UserTag userTag, IReadOnlyList<string> globalTags)
{
    /// <summary>What the tag session begins with.</summary>
    public const string SessionPrefix = "session:";

    private const int HashBytes = 8;

    private readonly HashSet<string> _global = [.. TagSet.Of(globalTags)];

    public PlatformTags(DatadogConfig config)
        : this(config.UserTag, config.GlobalTags) { }

    /// <summary>user and template.</summary>
    public string[] Of(PlatformUser user, string? template) => Known(User(user), Template(template));

    /// <summary>session, user and template.</summary>
    public string[] Of(Session session) => Known(Session(session), User(session.User), Template(session.Template));

    /// <summary>user alone.</summary>
    public string[] Of(PlatformUser user) => Known(User(user));

    /// <summary>agent alone.</summary>
    public string[] Of(PlatformAgent agent) => Known($"agent:{agent.Id}");

    /// <summary>template alone.</summary>
    public string[] Of(string? template) => Known(Template(template));

    /// <summary>
    /// The value of the tag session: the very id where Datadog keeps it as it is, so that it is not held twice.
    /// </summary>
    public static string SessionValue(Session session)
    {
        var tag = Bounded(Session(session));
        var normal = TagSet.Normalise(tag);
        return ReferenceEquals(normal, tag) ? session.Id
            : normal.StartsWith(SessionPrefix, StringComparison.Ordinal) ? normal[SessionPrefix.Length..]
            : "";
    }

    /// <summary>The user as the operator lets it leave the company, or null.</summary>
    public string? UserValue(PlatformUser user) =>
        userTag switch
        {
            UserTag.Name => user.Name,
            UserTag.Id => user.Id,
            _ => null,
        };

    /// <summary>The user for a sentence.</summary>
    public string Spoken(PlatformUser user) => UserValue(user) is { Length: > 0 } name ? name : "a user";

    /// <summary>The same of a session as attributes of spans and log entries, which take every value as it is.</summary>
    public IEnumerable<KeyValuePair<string, object?>> AttributesOf(Session session) =>
        [
            new("session", session.Id),
            .. AttributesOf(session.User),
            .. Attribute("template", session.Template),
            .. Attribute("platform", session.Platform),
        ];

    /// <summary>The user as an attribute, or none.</summary>
    public IEnumerable<KeyValuePair<string, object?>> AttributesOf(PlatformUser user) =>
        Attribute("user", UserValue(user));

    private static IEnumerable<KeyValuePair<string, object?>> Attribute(string name, string? value) =>
        string.IsNullOrEmpty(value) ? [] : [new(name, value)];

    private static string Session(Session session) => $"{SessionPrefix}{session.Id}";

    private string? User(PlatformUser user) => UserValue(user) is { Length: > 0 } value ? $"user:{value}" : null;

    private static string? Template(string? template) => string.IsNullOrEmpty(template) ? null : $"template:{template}";

    private string[] Known(params ReadOnlySpan<string?> tags)
    {
        var known = new List<string>(tags.Length);
        foreach (var tag in tags)
        {
            if (tag is not null)
            {
                known.Add(Bounded(tag));
            }
        }
        var normal = TagSet.Of(known);
        return Array.Exists(normal, _global.Contains) ? Array.FindAll(normal, tag => !_global.Contains(tag)) : normal;
    }

    // Datadog's bound would make one of two names that differ beyond it: a hash of the whole takes the end's place.
    private static string Bounded(string tag)
    {
        if (tag.Length <= TagSet.MaxLength)
        {
            return tag;
        }
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tag)).AsSpan(0, HashBytes));
        return $"{tag.AsSpan(0, TagSet.MaxLength - 1 - hash.Length)}_{hash}";
    }
}
