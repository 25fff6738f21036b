using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog;

/// <summary>
/// The ids that were seen: those of subjects for as long as these are open and 48 hours more, the others for 48 hours, at
/// most a million of them. Belongs to the loop.
/// </summary>
internal sealed class SeenIds(OpenSubjects open)
{
    private const int MaxIds = 1_000_000;

    /// <summary>How long an id is known, at least, after it was seen.</summary>
    public const long KeptSeconds = 48 * 3600;

    private readonly HashSet<UInt128> _hashes = [];
    private readonly Queue<SeenId> _ages = [];
    private readonly SubjectIds _ofSubjects = new(open);

    public static SeenId Of(string id, string? subject, long second)
    {
        if (subject is not null)
            return new SeenId(new UInt128(OpenSubjects.HashOf(subject), OpenSubjects.HashOf(id)), second, true);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        return new SeenId(BinaryPrimitives.ReadUInt128LittleEndian(hash), second);
    }

    /// <summary>Begins with what a store holds.</summary>
    public void Start(IReadOnlyList<SeenId> kept)
    {
        foreach (var id in kept.Where(id => !id.HasSubject))
            Add(id);
        _ofSubjects.Start(kept.Where(id => id.HasSubject));
    }

    public bool Contains(SeenId id) => id.HasSubject ? _ofSubjects.Contains(id) : _hashes.Contains(id.Hash);

    public void Add(SeenId id)
    {
        if (id.HasSubject)
            _ofSubjects.Add(id);
        else if (_hashes.Add(id.Hash))
            _ages.Enqueue(id);
    }

    /// <summary>Lets go what is no longer needed, and says which ids a store has to keep; then comes <see cref="Kept"/>.</summary>
    public ForgetSeen Forget(long now)
    {
        while (_ages.TryPeek(out var oldest) && (oldest.Second < now - KeptSeconds || _ages.Count > MaxIds))
        {
            _hashes.Remove(oldest.Hash);
            _ages.Dequeue();
        }
        var before = _ages.TryPeek(out var first) ? first.Second : now;
        return new ForgetSeen(before, _ofSubjects.Forget(now), _ofSubjects.Renewed);
    }

    /// <summary>The store has done what <see cref="Forget"/> said.</summary>
    public void Kept() => _ofSubjects.Kept();
}
