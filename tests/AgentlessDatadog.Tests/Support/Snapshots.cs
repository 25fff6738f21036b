namespace AgentlessDatadog.Tests.Support;

/// <summary>Encodes cuts and reads them back.</summary>
internal static class Cuts
{
    public static List<ReadSeries> Encode(TakenCut cut) =>
        [
            .. Requests(cut, Compression.Zstd)
                .SelectMany(r => WireReader.ReadPayload(PayloadCheck.Unpack(r.Encoding, r.Body))),
        ];

    public static List<EncodedRequest> Requests(TakenCut cut, Compression compression)
    {
        using var encoder = new SeriesEncoder(cut, compression);
        return encoder.Encode();
    }
}
