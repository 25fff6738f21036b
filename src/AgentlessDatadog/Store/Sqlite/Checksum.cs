using System.Buffers.Binary;
using System.Numerics;

namespace AgentlessDatadog.Store.Sqlite;

/// <summary>
/// CRC-32C. SQLite's own checks see the structure of a file, not what is written in a row: a value that has changed on
/// the disk would be sent as if it were true.
/// </summary>
internal static class Checksum
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var one in bytes)
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        return ~crc;
    }
}
