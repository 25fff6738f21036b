using AgentlessDatadog.Signals;

namespace AgentlessDatadog.Store;

/// <summary>Where a unit is.</summary>
internal enum Account
{
    /// <summary>In the aggregate or in the outbox.</summary>
    Queued,

    /// <summary>Answered with 2xx.</summary>
    Delivered,

    /// <summary>Folded into something that stands for it.</summary>
    Overflowed,

    /// <summary>Given up because of age or room.</summary>
    Expired,

    /// <summary>Refused for good.</summary>
    Rejected,

    /// <summary>Sent, without an answer that says whether it arrived, or outside of what Datadog's clock lets in.</summary>
    Uncertain,
}

/// <summary>
/// One entry of the ledger. A move into <see cref="Account.Queued"/> is an acceptance; a move into any other account
/// comes out of <see cref="Account.Queued"/>. So the ledger balances by construction.
/// </summary>
/// <param name="Lane">The lane whose ledger it is.</param>
/// <param name="To">Where the units go.</param>
/// <param name="Units">How many.</param>
/// <param name="Reason">Why, for those that expire, are rejected or are uncertain.</param>
internal sealed record LedgerMove(Lane Lane, Account To, long Units, string? Reason = null)
{
    /// <summary>Adds up those of the same lane, account and reason.</summary>
    internal static IReadOnlyList<LedgerMove> Sum(IEnumerable<LedgerMove> moves) =>
        [
            .. moves
                .GroupBy(move => move with { Units = 0 })
                .Select(same => same.Key with { Units = same.Sum(move => move.Units) }),
        ];
}
