using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>How a pipeline stands.</summary>
/// <param name="Lanes">One entry for each lane but those that are switched off and hold nothing.</param>
/// <param name="Queue">What waits to be sent, over all lanes and destinations.</param>
/// <param name="Series">Distinct series now, for each metric.</param>
/// <param name="SeriesTotal">Distinct series now, over all metrics.</param>
/// <param name="LastFlush">The last flush that was committed, or null before the first.</param>
public sealed record TelemetryStatus(
    IReadOnlyList<LaneStatus> Lanes,
    QueueStatus Queue,
    IReadOnlyDictionary<string, int> Series,
    int SeriesTotal,
    FlushStatus? LastFlush
)
{
    /// <summary>
    /// How far this machine's clock is ahead of Datadog's, or null before an answer that says; negative when it is
    /// behind. Points are stamped by Datadog's clock where the two differ by a minute or more.
    /// </summary>
    public TimeSpan? ClockSkew { get; init; }

    /// <summary>
    /// What is wrong with this machine's clock, while it would cost points or holds the flush, and what follows from it; null
    /// while it does neither.
    /// </summary>
    public string? ClockError { get; init; }

    /// <summary>
    /// What log lines bear that tell the beginning, the going on and the end of what this status shows, too: for a program that
    /// tells it in its own words.
    /// </summary>
    public static EventId WarningEvent { get; } = new(1, "Warning");

    /// <summary>
    /// What an operator should know now: what will expire, a store that fails, a stage that stands still. What a lane waits for,
    /// <see cref="Lanes"/> shows.
    /// </summary>
    public IReadOnlyList<PipelineWarning> Warnings { get; init; } = [];

    /// <summary>What waits for another destination than the one that is configured, and is not sent until that is named again.</summary>
    public IReadOnlyList<QueueElsewhere> Elsewhere { get; init; } = [];

    /// <summary>Why a damaged store, or its log, was set aside at the start, and where it lies; null when it was whole.</summary>
    public string? StoreDamage { get; init; }
}

/// <summary>What waits to be sent.</summary>
/// <param name="Requests">Number of requests.</param>
/// <param name="Bytes">Their size as they will go over the wire.</param>
/// <param name="Oldest">When the oldest of them was made, or null when none waits.</param>
public sealed record QueueStatus(int Requests, long Bytes, DateTimeOffset? Oldest);

/// <summary>What waits for one destination that is not configured now.</summary>
/// <param name="Destination"><see cref="TelemetryOptions.Destination"/> when it was made.</param>
/// <param name="Requests">Number of requests.</param>
/// <param name="Expires">When the first of them is given up.</param>
/// <param name="LastExpires">When the last of them is.</param>
public sealed record QueueElsewhere(
    string Destination,
    int Requests,
    DateTimeOffset Expires,
    DateTimeOffset LastExpires
);

/// <summary>One flush.</summary>
/// <param name="At">The second that its points carry.</param>
/// <param name="Points">Number of points.</param>
/// <param name="Requests">Number of requests they went into.</param>
/// <param name="Bytes">Size of these on the wire.</param>
/// <param name="Took">Time from the flush to the commit.</param>
public sealed record FlushStatus(DateTimeOffset At, int Points, int Requests, long Bytes, TimeSpan Took);

/// <summary>What a lane does at the moment.</summary>
public enum LaneState
{
    /// <summary>Sends, or has nothing to send.</summary>
    Open,

    /// <summary>Waits after a failure; the next request is a probe.</summary>
    BackingOff,

    /// <summary>Keeps everything until the key or the way is mended, and looks at least every 30 s.</summary>
    Parked,
}

/// <summary>How one lane stands.</summary>
/// <param name="Lane">Which one, by name, as in <c>metrics</c>, <c>distributions</c>, <c>events</c>.</param>
/// <param name="State">What it does at the moment.</param>
/// <param name="Verdict">What became of its last request, or null before the first.</param>
/// <param name="LastStatus">HTTP status of the last answer, or null when there was none.</param>
/// <param name="LastError">Why its last request failed, in the server's words where it gave any; null once one is delivered.</param>
/// <param name="NextTry">When it tries again, unless it is open.</param>
/// <param name="Ledger">What became of everything it was given.</param>
public sealed record LaneStatus(
    string Lane,
    LaneState State,
    Verdict? Verdict,
    int? LastStatus,
    string? LastError,
    DateTimeOffset? NextTry,
    LaneLedger Ledger
)
{
    /// <summary>What its ledger counts, in the plural, as in <c>metric points</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>When <see cref="LastError"/> was seen first; null together with it.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>Why it is parked, or was until the request that is to try it now; null when it is not.</summary>
    public ParkReason? ParkReason { get; init; }

    /// <summary>What has failed and is neither delivered nor given up yet; null while nothing has.</summary>
    public LaneFailure? Failure { get; init; }
}

/// <summary>
/// Requests of a lane that have failed and are neither delivered nor given up: from the first failure of an outage until what
/// failed has got through.
/// </summary>
/// <param name="Since">When the first of them failed.</param>
/// <param name="Requests">Number of requests.</param>
/// <param name="Error">What was said at the last failure.</param>
/// <param name="Verdict">What that means.</param>
/// <param name="Status">HTTP status then, or null when there was no answer.</param>
/// <param name="Alone">
/// Names the request that has failed at least five times while others of the lane got through, in a sentence; null: there is none.
/// </param>
public sealed record LaneFailure(
    DateTimeOffset Since,
    int Requests,
    string Error,
    Verdict Verdict,
    int? Status,
    string? Alone
);

/// <summary>
/// What became of all units that a lane accepted:
/// accepted = delivered + queued + overflowed + expired + rejected + uncertain, at any time.
/// </summary>
/// <param name="Accepted">Taken in.</param>
/// <param name="Delivered">Answered with 2xx by Datadog, and no error in the body.</param>
/// <param name="Queued">In the aggregate or in the queue.</param>
/// <param name="Overflowed">Folded into a summary event.</param>
/// <param name="Expired">Given up because of age or room.</param>
/// <param name="Rejected">Refused for good.</param>
/// <param name="Uncertain">Sent, without an answer that says whether they arrived, or outside of what Datadog's clock lets in.</param>
/// <param name="Reasons">Units for each reason of those that expired, were rejected, or are uncertain.</param>
public sealed record LaneLedger(
    long Accepted,
    long Delivered,
    long Queued,
    long Overflowed,
    long Expired,
    long Rejected,
    long Uncertain,
    IReadOnlyDictionary<string, long> Reasons
)
{
    /// <summary>The sum, in one line of a log.</summary>
    public override string ToString() =>
        $"accepted {Accepted} = delivered {Delivered} + queued {Queued} + overflowed {Overflowed} + expired {Expired} + "
        + $"rejected {Rejected} + uncertain {Uncertain}";
}
