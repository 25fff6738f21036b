using System.Runtime.InteropServices;

namespace AgentlessDatadog;

/// <summary>Ids of subjects. All that a subject has are kept or let go together. Belongs to the loop.</summary>
internal sealed class SubjectIds(OpenSubjects open)
{
    // Of less than 200 bytes each. Beyond them the oldest go, open or not.
    private const int MaxSubjects = 500_000;

    private readonly Dictionary<ulong, List<(ulong Id, long Second)>> _subjects = [];

    // Each subject once, with the second of its oldest id, which is the next to be looked at.
    private readonly Queue<(ulong Subject, long Second)> _ages = [];
    private readonly List<SeenId> _renewed = [];

    /// <summary>What was renewed since <see cref="Kept"/> was called last.</summary>
    public IReadOnlyList<SeenId> Renewed => [.. _renewed];

    /// <summary>Says that <see cref="Renewed"/> are kept.</summary>
    public void Kept() => _renewed.Clear();

    /// <summary>Begins with what a store holds, in order of arrival: what was renewed is there twice.</summary>
    public void Start(IEnumerable<SeenId> kept)
    {
        foreach (var id in kept)
        {
            var ids = IdsOf(SubjectOf(id));
            ids.RemoveAll(known => known.Id == IdOf(id));
            ids.Add((IdOf(id), id.Second));
        }
        foreach (var age in _subjects.Select(s => (s.Key, Second: s.Value.Min(id => id.Second))).OrderBy(a => a.Second))
            _ages.Enqueue(age);
    }

    public bool Contains(SeenId id) =>
        _subjects.TryGetValue(SubjectOf(id), out var ids) && ids.Exists(known => known.Id == IdOf(id));

    public void Add(SeenId id)
    {
        var ids = IdsOf(SubjectOf(id));
        if (ids.Count == 0)
            _ages.Enqueue((SubjectOf(id), id.Second));
        ids.Add((IdOf(id), id.Second));
    }

    /// <summary>Returns the Unix second from which on ids are still known.</summary>
    public long Forget(long now)
    {
        var limit = now - SeenIds.KeptSeconds;
        while (open.AreAllKnown && _ages.TryPeek(out var oldest) && oldest.Second < limit)
        {
            _ages.Dequeue();
            var ids = _subjects[oldest.Subject];
            if (open.IsOpen(oldest.Subject) || ids.Exists(id => id.Second >= limit))
                Renew(oldest.Subject, ids, now);
            else
                _subjects.Remove(oldest.Subject);
        }
        while (_ages.Count > MaxSubjects)
            _subjects.Remove(_ages.Dequeue().Subject);
        return _ages.TryPeek(out var first) ? first.Second : now;
    }

    private void Renew(ulong subject, List<(ulong Id, long Second)> ids, long now)
    {
        for (var i = 0; i < ids.Count; i++)
        {
            ids[i] = ids[i] with { Second = now };
            _renewed.Add(new SeenId(new UInt128(subject, ids[i].Id), now, HasSubject: true));
        }
        _ages.Enqueue((subject, now));
    }

    private List<(ulong Id, long Second)> IdsOf(ulong subject) =>
        CollectionsMarshal.GetValueRefOrAddDefault(_subjects, subject, out _) ??= new(capacity: 4);

    private static ulong SubjectOf(SeenId id) => (ulong)(id.Hash >> 64);

    private static ulong IdOf(SeenId id) => (ulong)id.Hash;
}
