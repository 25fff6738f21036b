using AgentlessDatadog.Pipeline;
using AgentlessDatadog.Signals.Metrics;

namespace AgentlessDatadog.Tests.Support;

/// <summary>Encodes flushes and reads them back.</summary>
internal static class Snapshots
{
    public static List<ReadSeries> Encode(FlushSnapshot snapshot) =>
        [
            .. Requests(snapshot, "zstd")
                .SelectMany(r => WireReader.ReadPayload(PayloadCheck.Unpack(r.Encoding, r.Body))),
        ];

    public static List<EncodedRequest> Requests(FlushSnapshot snapshot, string encoding)
    {
        using var encoder = new SeriesEncoder(snapshot, encoding);
        return encoder.Encode();
    }
}
