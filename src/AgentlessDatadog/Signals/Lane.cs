using AgentlessDatadog.Signals.Logs;
using AgentlessDatadog.Signals.Traces;

namespace AgentlessDatadog.Signals;

/// <summary>
/// One kind of data on its way to Datadog, as a value: where it goes, what is taken there, and how its trouble is met. Each
/// lane has a queue, a back-off and a ledger of its own, so that trouble on one never holds another. A new one is a value
/// here, an encoder and its rules.
/// </summary>
public sealed class Lane
{
    /// <summary>Of most routes, and of the questions.</summary>
    public const string ApiHost = "api";

    private Lane() { }

    /// <summary>Gauges, counts and rates (docs/reference/datadog.md §3.1, §3.4).</summary>
    public static Lane Metrics { get; } =
        new()
        {
            Name = "metrics",
            Unit = "metric points",
            IsOn = options => options.Metrics,
            Path = "/api/v2/series",
            ContentType = "application/x-protobuf",
            Encodings = ["zstd", "deflate"],
            MaxRawBytes = 5_242_880,
            MaxWireBytes = 512_000,
            MaxAge = TimeSpan.FromHours(1),
            MaxAhead = TimeSpan.FromMinutes(10),
            Width = 4,
        };

    /// <summary>
    /// Raw distribution values (docs/reference/datadog.md §3.3): far below the 3 200 000 bytes on the wire and 62 914 560
    /// raw that the route takes.
    /// </summary>
    public static Lane Distributions { get; } =
        new()
        {
            Name = "distributions",
            Unit = "distribution points",
            IsOn = options => options.Metrics,
            Path = "/api/v1/distribution_points",
            ContentType = "application/json",
            Encodings = ["deflate"],
            MaxRawBytes = 2_000_000,
            MaxWireBytes = 3_200_000,
            MaxAge = TimeSpan.FromHours(1),
            MaxAhead = TimeSpan.FromMinutes(10),
            Width = 4,
            RepeatHarms = true,
        };

    /// <summary>
    /// Events, one a request (docs/reference/datadog.md §4.1): a backlog of them would take hours one at a time.
    /// </summary>
    public static Lane Events { get; } =
        new()
        {
            Name = "events",
            Unit = "events",
            Path = "/api/v1/events",
            ContentType = "application/json",
            MaxRawBytes = 512_000,
            MaxWireBytes = 512_000,
            MaxAge = TimeSpan.FromHours(18),
            MaxAhead = TimeSpan.FromHours(2),
            Width = 8,
            RepeatHarms = true,
        };

    /// <summary>
    /// Spans (docs/reference/datadog.md §5.1). Requests are aimed at 4 MiB, far below the 15 MiB that the route takes. Not
    /// every site has it.
    /// </summary>
    public static Lane Traces { get; } =
        new()
        {
            Name = "traces",
            Unit = "spans",
            IsOn = options => options.Traces,
            Host = "otlp",
            OwnEndpoint = options => options.OwnTraces,
            IsEverywhere = false,
            Path = "/v1/traces",
            ContentType = "application/x-protobuf",
            Headers = new Dictionary<string, string> { ["compute_stats"] = "true" },
            Encodings = ["zstd", "gzip"],
            MaxItems = int.MaxValue,
            MaxRawBytes = 4 * 1024 * 1024,
            MaxWireBytes = 4 * 1024 * 1024,
            MaxAge = TimeSpan.FromHours(18),
            MaxAhead = TimeSpan.FromHours(2),
            Width = 4,
            RepeatHarms = true,
            Format = options => new TraceFormat(options),
            Halve = TraceFormat.Halve,
        };

    /// <summary>Log entries (docs/reference/datadog.md §6.1): 1 000 a request, below the 5 MB that the route takes.</summary>
    public static Lane Logs { get; } =
        new()
        {
            Name = "logs",
            Unit = "log entries",
            IsOn = options => options.Logs,
            Host = "http-intake.logs",
            Path = "/api/v2/logs",
            ContentType = "application/json",
            Encodings = ["zstd", "gzip"],
            MaxItems = 1_000,
            MaxRawBytes = 5_000_000,
            MaxWireBytes = 5_000_000,
            MaxAge = TimeSpan.FromHours(18),
            MaxAhead = TimeSpan.FromHours(2),
            Width = 4,
            RepeatHarms = true,
            Format = _ => new LogFormat(),
            Halve = LogFormat.Halve,
        };

    /// <summary>All that there are, in the order in which a status lists them.</summary>
    public static IReadOnlyList<Lane> All { get; } = [Metrics, Distributions, Events, Logs, Traces];

    /// <summary>What it is called in the store, the status, the log and the metrics about the pipeline; never changed.</summary>
    public required string Name { get; init; }

    /// <summary>What its ledger counts, in the plural.</summary>
    public required string Unit { get; init; }

    /// <summary>Whether the options let it take anything; what it holds already is sent all the same.</summary>
    public Func<TelemetryOptions, bool> IsOn { get; init; } = _ => true;

    /// <summary>What stands before the site in the name of the host that takes it.</summary>
    public string Host { get; init; } = ApiHost;

    /// <summary>An endpoint that the options name for this lane alone, if any.</summary>
    public Func<TelemetryOptions, Uri?> OwnEndpoint { get; init; } = _ => null;

    /// <summary>Whether every site takes it; if not, a missing host or route is a reason to park.</summary>
    public bool IsEverywhere { get; init; } = true;

    /// <summary>Headers of each of its requests, besides the usual ones.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// How signals that are encoded one by one become a request, under some options; null: this lane's are not.
    /// </summary>
    internal Func<TelemetryOptions, RequestFormat>? Format { get; init; }

    /// <summary>
    /// Parts the raw body of a request, for one that was too large: two bodies with the units in each, or null where there
    /// is nothing to part.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, IReadOnlyList<(byte[] Raw, long Units)>?> Halve { get; init; } = _ => null;

    /// <summary>Path of the route, below the host that takes it.</summary>
    public required string Path { get; init; }

    /// <summary>Value of the Content-Type header.</summary>
    public required string ContentType { get; init; }

    /// <summary>
    /// What its requests may be compressed with, in order of preference; the next is used where a far end refuses one.
    /// None: they go as they are.
    /// </summary>
    public IReadOnlyList<string> Encodings { get; init; } = [];

    /// <summary>The most signals in a request, where each of them is encoded by itself.</summary>
    public int MaxItems { get; init; } = 1;

    /// <summary>The most bytes of a request before compression.</summary>
    public required int MaxRawBytes { get; init; }

    /// <summary>The most bytes of a request as it goes over the wire.</summary>
    public required int MaxWireBytes { get; init; }

    /// <summary>How long after its time Datadog still takes something.</summary>
    public required TimeSpan MaxAge { get; init; }

    /// <summary>How far ahead of Datadog's clock a time may be.</summary>
    public required TimeSpan MaxAhead { get; init; }

    /// <summary>The most requests under way at once.</summary>
    public required int Width { get; init; }

    /// <summary>Whether what is sent twice counts twice at Datadog; if not, it overwrites itself.</summary>
    public bool RepeatHarms { get; init; }

    /// <summary>The lane of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static Lane Named(string name) =>
        All.FirstOrDefault(lane => lane.Name == name)
        ?? throw new InvalidDataException($"there is no lane named {name}");

    /// <inheritdoc/>
    public override string ToString() => Name;
}
