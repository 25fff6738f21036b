using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

/// <summary>
/// What must outlive the process: the journal (what no flush has taken yet), the outbox (requests that are
/// not settled yet), the keys that were seen, the last flush, and the ledger. Each call that changes something is one
/// transaction: when it returns, all of it is kept; when it throws, nothing is. The pipeline makes one
/// <see cref="AppendAsync"/> or <see cref="FlushAsync"/> at a time, and the others beside it from any thread.
/// </summary>
internal interface ITelemetryStore : IAsyncDisposable
{
    /// <summary>What an operator should know of the store although it works, in sentences; null for nothing.</summary>
    string? Warning => null;

    /// <summary>Reads what an earlier process left.</summary>
    ValueTask<StoreContents> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Keeps what arrived.</summary>
    ValueTask AppendAsync(JournalAppend append, CancellationToken cancellationToken);

    /// <summary>Replaces the journal up to and with a sequence by the requests that were made of it.</summary>
    ValueTask FlushAsync(JournalFlush flush, CancellationToken cancellationToken);

    /// <summary>Reads the body of a request in the outbox.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(long request, CancellationToken cancellationToken);

    /// <summary>Takes requests out of the outbox, with what became of them, and puts those in that had to wait in memory.</summary>
    ValueTask SettleAsync(Settlement settlement, CancellationToken cancellationToken);
}

/// <summary>What a store holds when it is opened.</summary>
/// <param name="LastFlush">Unix second of the last flush, or 0.</param>
/// <param name="LastSequence">The highest journal sequence ever used, or 0.</param>
/// <param name="LastRequest">The highest request id ever used, or 0.</param>
/// <param name="Journal">What no flush has taken, in order of arrival.</param>
/// <param name="Outbox">Requests that are not settled, in order of id.</param>
/// <param name="Keys">Keys of calls that were seen, in order of arrival.</param>
/// <param name="Ledger">Sum of all moves so far: one entry for each lane, account and reason.</param>
/// <param name="Expired">Sum of all losses so far, without those that are told: one entry for each lane and far end.</param>
internal sealed record StoreContents(
    long LastFlush,
    long LastSequence,
    long LastRequest,
    IReadOnlyList<JournalEntry> Journal,
    IReadOnlyList<RequestHeader> Outbox,
    IReadOnlyList<SeenKey> Keys,
    IReadOnlyList<LedgerMove> Ledger,
    IReadOnlyList<Loss> Expired
)
{
    /// <summary>What was found damaged when it was opened, so that all else here begins anew; null when nothing was.</summary>
    public QuarantinedFile? Quarantined { get; init; }

    /// <summary>Where each stream stands, the one that moved last at the end.</summary>
    public IReadOnlyList<StreamPosition> Positions { get; init; } = [];

    /// <summary>Types of the names that callers' items gave, oldest first.</summary>
    public IReadOnlyList<ItemType> Types { get; init; } = [];

    /// <summary>What was kept last and is lost, in sentences, for the log of commits was damaged; null when nothing is.</summary>
    public string? LogDamage { get; init; }
}

/// <summary>What of one append waits for a flush, and the far end that was configured then.</summary>
/// <param name="Sequence">Ascends in order of arrival.</param>
/// <param name="Destination"><see cref="TelemetryOptions.Destination"/> at the time.</param>
/// <param name="Measurements">In order of arrival.</param>
internal sealed record JournalEntry(long Sequence, string Destination, IReadOnlyList<Measurement> Measurements)
{
    /// <summary>Spans and log entries, in order of arrival.</summary>
    public IReadOnlyList<EncodedSignal> Signals { get; init; } = [];

    /// <summary>Whether nothing in it waits for a flush.</summary>
    public bool IsEmpty => Measurements.Count + Signals.Count == 0;
}

/// <summary>What arrived together.</summary>
/// <param name="Journal">For the journal.</param>
/// <param name="Requests">Requests that are complete already: events.</param>
/// <param name="Keys">Keys of calls that may come again.</param>
/// <param name="Moves">For the ledger.</param>
internal sealed record JournalAppend(
    JournalEntry Journal,
    IReadOnlyList<QueuedRequest> Requests,
    IReadOnlyList<SeenKey> Keys,
    IReadOnlyList<LedgerMove> Moves
)
{
    /// <summary>Streams that have come further with it, each once.</summary>
    public IReadOnlyList<StreamPosition> Positions { get; init; } = [];

    /// <summary>Types of names that came for the first time, each once.</summary>
    public IReadOnlyList<ItemType> Types { get; init; } = [];

    /// <summary>Names that may have another type from now on.</summary>
    public IReadOnlyList<string> ReleasedNames { get; init; } = [];
}

/// <summary>The type that a caller's item gave a name.</summary>
/// <param name="Name">The metric.</param>
/// <param name="Type">Its type.</param>
/// <param name="Since">When it came first.</param>
internal sealed record ItemType(string Name, MetricType Type, DateTimeOffset Since);

/// <summary>How far a caller's stream is kept.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Position">The last position that is durable.</param>
internal sealed record StreamPosition(string Stream, long Position);

/// <summary>A flush.</summary>
/// <param name="Second">Unix second of the flush.</param>
/// <param name="Sequence">The last sequence of the journal that is in it.</param>
/// <param name="Requests">What was made of it.</param>
/// <param name="Moves">For the ledger.</param>
/// <param name="TrimKeysBefore">Unix second before which keys are no longer needed.</param>
internal sealed record JournalFlush(
    long Second,
    long Sequence,
    IReadOnlyList<QueuedRequest> Requests,
    IReadOnlyList<LedgerMove> Moves,
    long TrimKeysBefore
)
{
    /// <summary>ExpiredReport that one of the requests tells: units below zero, so that the sum is what is still to be told.</summary>
    public IReadOnlyList<Loss> Reported { get; init; } = [];
}

/// <summary>The end of requests.</summary>
/// <param name="Requests">Their ids; those that the store does not know are passed over.</param>
/// <param name="Moves">For the ledger.</param>
internal sealed record Settlement(IReadOnlyList<long> Requests, IReadOnlyList<LedgerMove> Moves)
{
    /// <summary>What of them was given up, and is to be told.</summary>
    public IReadOnlyList<Loss> Lost { get; init; } = [];

    /// <summary>Requests that were made while the store failed and still wait. They come in before the others go.</summary>
    public IReadOnlyList<QueuedRequest> Added { get; init; } = [];

    /// <summary>This and another end, as one.</summary>
    public Settlement Plus(Settlement other) =>
        new([.. Requests, .. other.Requests], LedgerMove.Sum([.. Moves, .. other.Moves]))
        {
            Lost = ExpiredReport.Sum([.. Lost, .. other.Lost]),
        };
}

/// <summary>What was given up on its way to a far end.</summary>
/// <param name="Lane">The way it would have gone.</param>
/// <param name="Destination">The far end.</param>
/// <param name="Units">Ledger units.</param>
/// <param name="From">Time of the oldest.</param>
/// <param name="To">Time of the youngest.</param>
/// <param name="Reason">Why the first of it was given up.</param>
internal sealed record Loss(
    Lane Lane,
    string Destination,
    long Units,
    DateTimeOffset From,
    DateTimeOffset To,
    string Reason
)
{
    /// <summary>This and another one of the same lane and far end, which came later.</summary>
    public Loss Plus(Loss other) =>
        this with
        {
            Units = Units + other.Units,
            From = From < other.From ? From : other.From,
            To = To > other.To ? To : other.To,
        };
}

/// <summary>A request, ready to go.</summary>
/// <param name="Header">All but its body.</param>
/// <param name="Body">As it goes over the wire.</param>
internal sealed record QueuedRequest(RequestHeader Header, ReadOnlyMemory<byte> Body);

/// <summary>All of a request but its body.</summary>
/// <param name="Id">Ascends in the order in which requests are made.</param>
/// <param name="Lane">The way it goes.</param>
/// <param name="Destination">The only far end it may go to.</param>
/// <param name="Path">Path below the lane's host.</param>
/// <param name="ContentType">Value of the header.</param>
/// <param name="ContentEncoding">Value of the header, or null for none.</param>
/// <param name="Size">Length of its body in bytes.</param>
/// <param name="Units">Ledger units in it.</param>
/// <param name="Oldest">Time of the oldest thing in it, which is what its age limit goes by.</param>
internal sealed record RequestHeader(
    long Id,
    Lane Lane,
    string Destination,
    string Path,
    string ContentType,
    string? ContentEncoding,
    int Size,
    long Units,
    DateTimeOffset Oldest
);

/// <summary>A key that has been seen, as a hash so that its room is known.</summary>
/// <param name="Hash">The first half of its SHA-256.</param>
/// <param name="Second">Unix second at which it was seen.</param>
internal readonly record struct SeenKey(UInt128 Hash, long Second);
