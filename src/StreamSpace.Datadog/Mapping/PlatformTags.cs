using System.Security.Cryptography;
using System.Text;
using StreamSpace.Datadog.Config;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// Builds a fresh list of tags for each use: a list that is shared and grown is how tags of one metric end up on
/// another. What is unknown is left out.
/// </summary>
internal sealed class PlatformTags(UserTag userTag)
{
    private const int Longest = 200;
    private const int HashBytes = 8;

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
                known.Add(tag.Length <= Longest ? tag : Distinct(tag));
            }
        }
        return [.. known];
    }

    // Datadog's bound would make one of two names that differ beyond it: a hash of the whole takes the end's place.
    private static string Distinct(string tag)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tag)).AsSpan(0, HashBytes));
        return $"{tag.AsSpan(0, Longest - 1 - hash.Length)}_{hash}";
    }
}
