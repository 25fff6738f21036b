namespace AgentlessDatadog;

/// <summary>A write that a store has not taken yet. Its owner locks.</summary>
/// <param name="what">Arrivals, a cut or a settlement.</param>
internal sealed class HeldWrite(object what)
{
    // About what a measurement and an id take in memory.
    private const int MeasurementSize = 200;
    private const int IdSize = 48;

    public object What { get; set; } = what;

    /// <summary>The store is at it, so that it must stay as it is; null: it is not.</summary>
    public Task? UnderWay { get; set; }

    /// <summary>The store has it.</summary>
    public bool IsTaken { get; set; }

    /// <summary>What is to be done once the store has it.</summary>
    public List<Action> Then { get; } = [];

    /// <summary>About how much memory it takes.</summary>
    public long Size => SizeOf(What);

    public static long SizeOf(object what) =>
        what switch
        {
            Arrivals arrivals => Sum(arrivals.Payloads)
                + (arrivals.Journal.Measurements.Count * MeasurementSize)
                + (arrivals.Seen.Count * IdSize),
            Cut cut => Sum(cut.Payloads) + (cut.Forget.Renewed.Count * IdSize),
            _ => 0,
        };

    private static long Sum(IReadOnlyList<Payload> payloads) => payloads.Sum(payload => (long)payload.Header.Size);
}
