using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sessions;

/// <summary>What a registry has to tell: facts in the order in which they became known, and what is true anew.</summary>
internal sealed class RegistryUpdate
{
    private readonly List<PlatformFact> _facts = [];
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SessionUsage> _usages = new(StringComparer.Ordinal);

    public IReadOnlyList<PlatformFact> Facts => _facts;

    /// <summary>The changed lives, by <see cref="Session.LifeId"/>.</summary>
    public IReadOnlyDictionary<string, Session> Sessions => _sessions;

    /// <summary>The last measurement of each life, by <see cref="Session.LifeId"/>.</summary>
    public IReadOnlyDictionary<string, SessionUsage> Usages => _usages;

    /// <summary>The count of users when it is another than before, else null.</summary>
    public int? Users { get; set; }

    /// <summary>The agents when they are others than before, else null.</summary>
    public IReadOnlyList<PlatformAgent>? Agents { get; set; }

    /// <summary>True when nothing of the state is new.</summary>
    public bool IsOfFactsAlone => _sessions.Count == 0 && _usages.Count == 0 && Users is null && Agents is null;

    public void Add(PlatformFact fact)
    {
        _facts.Add(fact);
        if (fact is SessionFact ofSession)
        {
            Change(ofSession.Session);
        }
    }

    public void Change(Session session) => _sessions[session.LifeId] = session;

    public void Measure(SessionUsage usage) => _usages[usage.LifeId] = usage;
}
