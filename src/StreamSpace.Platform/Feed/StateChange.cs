using StreamSpace.Platform.Sessions;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Feed;

/// <summary>What of the state a subscriber has not been told yet. Of what changed twice the last counts. Its owner locks.</summary>
internal sealed class StateChange
{
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SessionUsage> _usages = new(StringComparer.Ordinal);
    private bool _isSnapshot;
    private int? _users;
    private IReadOnlyList<PlatformAgent>? _agents;
    private (bool IsWhole, bool IsCatchingUp) _known;
    private bool _isNews;

    /// <summary>Begins with all that there is.</summary>
    public StateChange(PlatformState snapshot)
    {
        PutBack(snapshot);
        _known = (snapshot.IsWhole, snapshot.IsCatchingUp);
    }

    public void Add(RegistryUpdate news, bool isWhole, bool isCatchingUp)
    {
        foreach (var (life, session) in news.Sessions)
        {
            _sessions[life] = session;
        }
        foreach (var (life, usage) in news.Usages)
        {
            _usages[life] = usage;
        }
        _users = news.Users ?? _users;
        _agents = news.Agents ?? _agents;
        _isNews |= !news.IsOfFactsAlone || _known != (isWhole, isCatchingUp);
        _known = (isWhole, isCatchingUp);
    }

    /// <summary>Takes out what is to be told now, or null when that is nothing.</summary>
    public PlatformState? Take()
    {
        if (!_isNews)
        {
            return null;
        }
        var taken = new PlatformState
        {
            IsSnapshot = _isSnapshot,
            Sessions = [.. _sessions.Values],
            Usages = [.. _usages.Values],
            Users = _users,
            Agents = _agents,
            IsWhole = _known.IsWhole,
            IsCatchingUp = _known.IsCatchingUp,
        };
        _sessions.Clear();
        _usages.Clear();
        (_isSnapshot, _users, _agents, _isNews) = (false, null, null, false);
        return taken;
    }

    /// <summary>Could not be told: it comes again, but for what is newer by now.</summary>
    public void PutBack(PlatformState untold)
    {
        foreach (var session in untold.Sessions)
        {
            _sessions.TryAdd(session.LifeId, session);
        }
        foreach (var usage in untold.Usages)
        {
            _usages.TryAdd(usage.LifeId, usage);
        }
        _isSnapshot |= untold.IsSnapshot;
        _users ??= untold.Users;
        _agents ??= untold.Agents;
        _isNews = true;
    }
}
