using System.Buffers.Binary;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>The keys of a second as bytes: 16 for each, little-endian.</summary>
internal static class SeenKeyRow
{
    private const int KeySize = 16;

    public static byte[] Encode(ReadOnlySpan<SeenKey> keys)
    {
        var row = new byte[keys.Length * KeySize];
        for (var i = 0; i < keys.Length; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(row.AsSpan(i * KeySize), keys[i].Hash);
        }

        return row;
    }

    public static IEnumerable<SeenKey> Decode(long second, byte[] row)
    {
        for (var at = 0; at + KeySize <= row.Length; at += KeySize)
        {
            yield return new SeenKey(BinaryPrimitives.ReadUInt128LittleEndian(row.AsSpan(at)), second);
        }
    }
}
