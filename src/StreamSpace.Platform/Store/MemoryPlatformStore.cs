using StreamSpace.Platform.Sessions;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Store;

/// <summary>Keeps nothing over a restart of the process: the demo's store.</summary>
public sealed class MemoryPlatformStore : IPlatformStore
{
    // The demo goes on for as long as somebody looks at it.
    private const int MostFacts = 100_000;

    private readonly Lock _lock = new();
    private readonly string _logId = Guid.NewGuid().ToString("N");
    private readonly Dictionary<string, Life> _lives = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlatformUser> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _cursors = new(StringComparer.Ordinal);
    private readonly Queue<PlatformFact> _facts = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private UsersTotalled? _users;
    private ApiOutage? _api;
    private long _last;

    PlatformSnapshot IPlatformStore.Load()
    {
        lock (_lock)
        {
            return new PlatformSnapshot([.. _lives.Values], _users, new Dictionary<string, string>(_checkpoints))
            {
                Names = [.. _names.Values],
                Api = _api,
                LogId = _logId,
                LastSequence = _last,
                Cursors = new Dictionary<string, long>(_cursors),
            };
        }
    }

    IReadOnlyList<PlatformFact> IPlatformStore.Commit(PlatformChange change)
    {
        lock (_lock)
        {
            Keep(change.Registry);
            foreach (var (source, checkpoint) in change.Checkpoints)
            {
                _checkpoints[source] = checkpoint;
            }
            foreach (var (subscriber, sequence) in change.Cursors)
            {
                if (sequence is { } last)
                {
                    _cursors[subscriber] = last;
                }
                else
                {
                    _cursors.Remove(subscriber);
                }
            }
            return [.. change.Facts.Where(fact => _ids.Add(fact.Id)).Select(Add)];
        }
    }

    FactPage IPlatformStore.Read(long after, int atMost)
    {
        lock (_lock)
        {
            var facts = _facts.Where(fact => fact.Sequence > after).Take(atMost).ToList();
            return facts.Count == 0
                ? new FactPage(_logId, [], _last, _last - after)
                : new FactPage(_logId, facts, facts[^1].Sequence, facts[0].Sequence - after - 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private void Keep(RegistryChange change)
    {
        foreach (var life in change.Lives)
        {
            _lives[life.Session.Id] = life;
        }
        foreach (var id in change.Forgotten)
        {
            _lives.Remove(id);
        }
        foreach (var user in change.Names)
        {
            _names[user.Id!] = user;
        }
        _users = change.Users ?? _users;
        _api = change.Api.IsDifferent ? change.Api.Outage : _api;
    }

    private PlatformFact Add(PlatformFact fact)
    {
        var added = fact with { Sequence = ++_last };
        _facts.Enqueue(added);
        if (_facts.Count > MostFacts)
        {
            _ids.Remove(_facts.Dequeue().Id);
        }
        return added;
    }
}
