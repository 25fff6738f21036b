using System.Buffers.Binary;

namespace AgentlessDatadog;

/// <summary>Ids that were seen in the same second as bytes: 16 for each, little-endian.</summary>
internal static class SeenRow
{
    private const int IdSize = 16;

    public static byte[] Encode(ReadOnlySpan<SeenId> ids)
    {
        var row = new byte[ids.Length * IdSize];
        for (var i = 0; i < ids.Length; i++)
            BinaryPrimitives.WriteUInt128LittleEndian(row.AsSpan(i * IdSize), ids[i].Hash);
        return row;
    }

    public static IEnumerable<SeenId> Decode(long second, byte[] row)
    {
        for (var at = 0; at + IdSize <= row.Length; at += IdSize)
            yield return new SeenId(BinaryPrimitives.ReadUInt128LittleEndian(row.AsSpan(at)), second);
    }
}
