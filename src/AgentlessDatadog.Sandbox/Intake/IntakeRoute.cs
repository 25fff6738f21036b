namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>What one intake path takes: media types, encodings and both size limits (docs/reference/datadog.md §3.4).</summary>
internal sealed record IntakeRoute(
    string Path,
    string[] MediaTypes,
    string[] Encodings,
    int MaxWireBytes,
    int MaxRawBytes
)
{
    private const int V1Wire = 3_200_000;
    private const int V1Raw = 62_914_560;

    public static readonly IntakeRoute SeriesV1 = new(
        "/api/v1/series",
        ["application/json", "text/json"],
        ["deflate", "gzip"],
        V1Wire,
        V1Raw
    );

    public static readonly IntakeRoute SeriesV2 = new(
        "/api/v2/series",
        ["application/json", "application/x-protobuf"],
        ["deflate", "gzip", "zstd", "zstd1"],
        512_000,
        5_242_880
    );

    public static readonly IntakeRoute Distributions = new(
        "/api/v1/distribution_points",
        ["application/json", "text/json"],
        ["deflate"],
        V1Wire,
        V1Raw
    );

    public static readonly IntakeRoute Events = new(
        "/api/v1/events",
        ["application/json", "text/json"],
        [],
        V1Wire,
        V1Raw
    );

    /// <summary>OTLP over HTTP (§5.1): the limit is of what is not compressed, and zlib is not one of its encodings.</summary>
    public static readonly IntakeRoute Traces = new(
        "/v1/traces",
        ["application/x-protobuf", "application/json"],
        ["gzip", "zstd"],
        15 << 20,
        15 << 20
    );

    /// <summary>§6.1: the limit is of what is not compressed.</summary>
    public static readonly IntakeRoute Logs = new(
        "/api/v2/logs",
        ["application/json"],
        ["deflate", "gzip", "zstd", "zstd1"],
        5_000_000,
        5_000_000
    );
}
