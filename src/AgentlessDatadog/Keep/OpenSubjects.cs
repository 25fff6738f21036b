using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog;

/// <summary>
/// What ids are about and is open now, as sessions are: the ids of a subject are known for as long as it is open, and 48 h
/// more. Any thread.
/// </summary>
public sealed class OpenSubjects
{
    private readonly Lock _lock = new();
    private readonly HashSet<ulong> _open = [];
    private bool _areAllKnown;

    /// <summary>A subject is open from now on.</summary>
    public void Open(string subject)
    {
        lock (_lock)
            _open.Add(HashOf(subject));
    }

    /// <summary>A subject is no longer open.</summary>
    public void Close(string subject)
    {
        lock (_lock)
            _open.Remove(HashOf(subject));
    }

    /// <summary>What is not open by now is closed. Until this is said, no id of any subject is forgotten.</summary>
    public void AllKnown()
    {
        lock (_lock)
            _areAllKnown = true;
    }

    internal bool AreAllKnown
    {
        get
        {
            lock (_lock)
                return _areAllKnown;
        }
    }

    internal bool IsOpen(ulong subject)
    {
        lock (_lock)
            return _open.Contains(subject);
    }

    internal static ulong HashOf(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
