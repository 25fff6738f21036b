namespace AgentlessDatadog.Signals;

/// <summary>
/// One kind of data on its way to Datadog, as a value: where it goes, what is taken there, and how its trouble is met. Each
/// lane has a queue, a back-off and a ledger of its own, so that trouble on one never holds another. A new one is a value
/// here, an encoder and its rules.
/// </summary>
public sealed class Lane
{
    private Lane() { }

    /// <summary>Gauges, counts and rates (docs/reference/datadog.md §3.1, §3.4).</summary>
    public static Lane Metrics { get; } =
        new()
        {
            Name = "metrics",
            Unit = "metric points",
            Path = "/api/v2/series",
            ContentType = "application/x-protobuf",
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
            Path = "/api/v1/distribution_points",
            ContentType = "application/json",
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

    /// <summary>All that there are, in the order in which a status lists them.</summary>
    public static IReadOnlyList<Lane> All { get; } = [Metrics, Distributions, Events];

    /// <summary>What it is called in the store, the status, the log and the metrics about the pipeline; never changed.</summary>
    public required string Name { get; init; }

    /// <summary>What its ledger counts, in the plural.</summary>
    public required string Unit { get; init; }

    /// <summary>Path of the route, below the host that takes it.</summary>
    public required string Path { get; init; }

    /// <summary>Value of the Content-Type header.</summary>
    public required string ContentType { get; init; }

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
