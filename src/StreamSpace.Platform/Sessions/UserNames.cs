using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// Which username belongs to which user id. Sources write a user's id or name, often without knowing which of the
/// two it is (docs/reference/streamspace.md §2.1).
/// </summary>
internal sealed class UserNames
{
    private readonly Dictionary<string, PlatformUser> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlatformUser> _byName = new(StringComparer.Ordinal);

    private readonly Dictionary<string, PlatformUser> _fresh = new(StringComparer.Ordinal);

    /// <summary>begins with what is durable.</summary>
    public UserNames(IEnumerable<PlatformUser> durable)
    {
        Learn(durable);
        MarkDurable();
    }

    /// <summary>What was learned since <see cref="MarkDurable"/> was called last.</summary>
    public IReadOnlyList<PlatformUser> Fresh => [.. _fresh.Values];

    /// <summary>Says that <see cref="Fresh"/> is durable.</summary>
    public void MarkDurable() => _fresh.Clear();

    /// <summary>Takes users whose both parts are known; the newest name of an id is its name.</summary>
    public void Learn(IEnumerable<PlatformUser> users)
    {
        foreach (var user in users)
        {
            if (user is { Id: { } id, Name: { } name } && _byId.GetValueOrDefault(id) is var before && before != user)
            {
                if (before is not null && _byName.GetValueOrDefault(before.Name!) == before)
                {
                    _byName.Remove(before.Name!);
                }
                _byId[id] = user;
                _byName[name] = user;
                _fresh[id] = user;
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
