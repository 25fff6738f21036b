using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>
/// Which username belongs to which user id. Sources write a user's id or name, often without knowing which of the
/// two it is (reference/streamspace.md §10.5).
/// </summary>
internal sealed class UserNames
{
    private readonly Dictionary<string, PlatformUser> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlatformUser> _byName = new(StringComparer.Ordinal);

    /// <summary>Takes users whose both parts are known; the newest name of an id is its name.</summary>
    public void Learn(IEnumerable<PlatformUser> users)
    {
        foreach (var user in users)
        {
            if (user is { Id: { } id, Name: { } name })
            {
                if (_byId.TryGetValue(id, out var before) && _byName.GetValueOrDefault(before.Name!) == before)
                {
                    _byName.Remove(before.Name!);
                }
                _byId[id] = user;
                _byName[name] = user;
            }
        }
    }

    /// <summary>Both parts of <paramref name="user"/> when it is known, else what was given.</summary>
    public PlatformUser Complete(PlatformUser user)
    {
        var word = user.Id ?? user.Name;
        return word is null ? user
            : _byId.TryGetValue(word, out var known) ? known
            : _byName.GetValueOrDefault(word, user);
    }
}
