using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Encodes flushes and reads them back.</summary>
internal static class Snapshots
{
    public static List<ReadSeries> Encode(FlushSnapshot snapshot) =>
        [
            .. Requests(snapshot, Compression.Zstd)
                .SelectMany(r => WireReader.ReadPayload(PayloadCheck.Unpack(r.Encoding, r.Body))),
        ];

    public static List<EncodedRequest> Requests(FlushSnapshot snapshot, Compression compression)
    {
        using var encoder = new SeriesEncoder(snapshot, compression);
        return encoder.Encode();
    }
}
