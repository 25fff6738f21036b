using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog.Store;

/// <summary>
/// Keys of calls that may come again, known for 48 hours; at most a million of them, of which each call takes two. Belongs
/// to the loop.
/// </summary>
internal sealed class SeenKeys
{
    private const int MaxKeys = 1_000_000;

    /// <summary>How long a key is known, at least, after it was seen.</summary>
    public const long KeptSeconds = 48 * 3600;

    private readonly HashSet<UInt128> _hashes = [];
    private readonly Queue<SeenKey> _ages = [];

    public static SeenKey Of(string key, long second)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return new SeenKey(BinaryPrimitives.ReadUInt128LittleEndian(hash), second);
    }

    public bool Contains(SeenKey key) => _hashes.Contains(key.Hash);

    public void Add(SeenKey key)
    {
        if (_hashes.Add(key.Hash))
        {
            _ages.Enqueue(key);
        }
    }

    /// <summary>Forgets what is no longer needed; gives the Unix second from which on keys are still known.</summary>
    public long Trim(long now)
    {
        while (_ages.TryPeek(out var oldest) && (oldest.Second < now - KeptSeconds || _ages.Count > MaxKeys))
        {
            _hashes.Remove(oldest.Hash);
            _ages.Dequeue();
        }
        return _ages.TryPeek(out var first) ? first.Second : now;
    }
}
