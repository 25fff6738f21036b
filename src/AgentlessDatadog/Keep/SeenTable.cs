using System.Buffers.Binary;

namespace AgentlessDatadog;

/// <summary>
/// A table of ids that were seen, in the order of their arrival: one row for all of the same second, as those of one call
/// are. An id is 16 bytes, little-endian. Within transactions of its caller; belongs to one thread.
/// </summary>
internal sealed class SeenTable
{
    private const int IdSize = 16;

    private readonly SqliteStatement _see;
    private readonly SqliteStatement _forget;

    public SeenTable(SqliteDatabase database, string name)
    {
        _see = database.Prepare($"INSERT INTO {name} (second, hashes) VALUES ($1, $2)");
        // This looks at those that go and at one more.
        _forget = database.Prepare(
            $"""
            DELETE FROM {name} WHERE arrival < coalesce(
                (SELECT arrival FROM {name} WHERE second >= $1 ORDER BY arrival LIMIT 1), 9223372036854775807)
            """
        );
    }

    public void See(IEnumerable<SeenId> ids)
    {
        SeenId[] all = [.. ids];
        for (var from = 0; from < all.Length; )
        {
            var second = all[from].Second;
            var to = Array.FindIndex(all, from, id => id.Second != second);
            var run = to < 0 ? all.AsSpan(from) : all.AsSpan(from..to);
            _see.Run(second, (ReadOnlyMemory<byte>)Encode(run));
            from += run.Length;
        }
    }

    /// <summary>Lets go what came before the first one that is not older than <paramref name="second"/>.</summary>
    public void Forget(long second) => _forget.Run(second);

    public static IEnumerable<SeenId> Decode(long second, byte[] hashes, bool hasSubject)
    {
        for (var at = 0; at + IdSize <= hashes.Length; at += IdSize)
            yield return new SeenId(BinaryPrimitives.ReadUInt128LittleEndian(hashes.AsSpan(at)), second, hasSubject);
    }

    private static byte[] Encode(ReadOnlySpan<SeenId> ids)
    {
        var row = new byte[ids.Length * IdSize];
        for (var i = 0; i < ids.Length; i++)
            BinaryPrimitives.WriteUInt128LittleEndian(row.AsSpan(i * IdSize), ids[i].Hash);
        return row;
    }
}
