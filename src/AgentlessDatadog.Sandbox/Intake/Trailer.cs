using System.Buffers.Binary;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Whether compressed bytes end as their format says. .NET's streams check a trailer that is there and take a stream
/// that was cut short for a whole one.
/// </summary>
internal static class Trailer
{
    private const int AdlerModulus = 65_521;

    // As many bytes as can be added up before 32 bits overflow.
    private const int AdlerBlock = 5_552;

    /// <summary>A zlib stream ends in the Adler-32 of what it holds.</summary>
    public static bool EndsAsZlib(ReadOnlySpan<byte> wire, ReadOnlySpan<byte> raw) =>
        wire.Length >= 6 && BinaryPrimitives.ReadUInt32BigEndian(wire[^4..]) == Adler32(raw);

    /// <summary>A gzip member ends in the length of what it holds; one member is what senders send.</summary>
    public static bool EndsAsGzip(ReadOnlySpan<byte> wire, ReadOnlySpan<byte> raw) =>
        wire.Length >= 18 && BinaryPrimitives.ReadUInt32LittleEndian(wire[^4..]) == (uint)raw.Length;

    private static uint Adler32(ReadOnlySpan<byte> bytes)
    {
        var (low, high) = (1u, 0u);
        while (!bytes.IsEmpty)
        {
            var block = bytes[..Math.Min(AdlerBlock, bytes.Length)];
            foreach (var value in block)
            {
                low += value;
                high += low;
            }
            low %= AdlerModulus;
            high %= AdlerModulus;
            bytes = bytes[block.Length..];
        }
        return (high << 16) | low;
    }
}
