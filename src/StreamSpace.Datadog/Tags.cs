using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog;

/// <summary>
/// Builds a fresh list of tags for each use: a list that is shared and grown is how tags of one metric end up on
/// another. What is unknown is left out.
/// </summary>
internal sealed class Tags(UserTag userTag)
{
    /// <summary>user and template.</summary>
    public string[] Of(PlatformUser user, string? template) => Known(User(user), Template(template));

    /// <summary>session, user and template.</summary>
    public string[] Of(Session session) =>
        Known($"session:{session.Id}", User(session.User), Template(session.Template));

    /// <summary>user alone.</summary>
    public string[] Of(PlatformUser user) => Known(User(user));

    /// <summary>template alone.</summary>
    public static string[] Of(string? template) => Known(Template(template));

    /// <summary>The user as the operator lets it leave the company, or null.</summary>
    public string? UserValue(PlatformUser user) =>
        userTag switch
        {
            UserTag.Name => user.Name,
            UserTag.Id => user.Id,
            _ => null,
        };

    private string? User(PlatformUser user) => UserValue(user) is { Length: > 0 } value ? $"user:{value}" : null;

    private static string? Template(string? template) => string.IsNullOrEmpty(template) ? null : $"template:{template}";

    private static string[] Known(params ReadOnlySpan<string?> tags)
    {
        var known = new List<string>(tags.Length);
        foreach (var tag in tags)
        {
            if (tag is not null)
            {
                known.Add(tag);
            }
        }
        return [.. known];
    }
}
