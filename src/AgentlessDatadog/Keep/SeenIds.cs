using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog;

/// <summary>The ids of the last 48 hours, at most half a million of them. Belongs to the loop.</summary>
internal sealed class SeenIds
{
    private const int MaxIds = 500_000;
    private const long KeptSeconds = 48 * 3600;

    private readonly HashSet<UInt128> _hashes = [];
    private readonly Queue<SeenId> _ages = [];

    public static SeenId Of(string id, long second)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        return new SeenId(BinaryPrimitives.ReadUInt128LittleEndian(hash), second);
    }

    public bool Contains(SeenId id) => _hashes.Contains(id.Hash);

    public void Add(SeenId id)
    {
        if (_hashes.Add(id.Hash))
            _ages.Enqueue(id);
    }

    /// <summary>Lets the oldest go. Returns the Unix second from which on ids are still known.</summary>
    public long Forget(long now)
    {
        while (_ages.TryPeek(out var oldest) && (oldest.Second < now - KeptSeconds || _ages.Count > MaxIds))
        {
            _hashes.Remove(oldest.Hash);
            _ages.Dequeue();
        }
        return _ages.TryPeek(out var first) ? first.Second : now;
    }
}
